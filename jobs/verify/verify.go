// Package verify reads the topic, the lake and the hot store independently of the pipelines, and compares them event by
// event.
//
// [Run] is the one to know; its [Result] is what `coldstream verify --json` prints. It covers the offsets that the topic
// still holds, judges the lake below the table's position and the hot store below the hot group's offsets, and calls the
// rest lag. It fails when a part cannot be read; what it finds wrong is in the result, not an error. It changes nothing.
//
// Memory: about 100 bytes for every record in range and 150 for every message.
package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// RangeSpan is what the topic holds of a partition: the offsets [From, Next).
type RangeSpan struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	Next      int64  `json:"next"`
}

// TopicResult counts the committed data records in range: Records = Events + Repeats + Dead.
type TopicResult struct {
	Records int64 `json:"records"`
	Events  int64 `json:"events"`  // first occurrences of valid events
	Repeats int64 `json:"repeats"` // valid ones whose event stood earlier in range
	Dead    int64 `json:"dead"`    // refused
}

// LakeResult counts the table's rows that come from records in range, and the table's files.
type LakeResult struct {
	Events            int64 `json:"events"`     // distinct
	Missing           int64 `json:"missing"`    // events below the table's position that are not in it as they were
	Altered           int64 `json:"altered"`    // of the missing: a row is there, and differs
	Duplicated        int64 `json:"duplicated"` // source records stored more than once
	Repeats           int64 `json:"repeats"`    // rows beyond the first of an event
	Extra             int64 `json:"extra"`      // rows that no valid record in range explains
	Files             int64 `json:"files"`
	Bytes             int64 `json:"bytes"`
	UnreferencedFiles int64 `json:"unreferenced_files"`
}

// HotResult counts messages of the state table.
type HotResult struct {
	Messages int64 `json:"messages"` // that a reader may see
	Missing  int64 `json:"missing"`
	Stale    int64 `json:"stale"` // there, with another content, author or deletion than the events add up to
	Extra    int64 `json:"extra"` // there, and no event in range explains it
	// Waiting are edits and deletes whose message is not known, and deletes of whole channels and guilds that are not
	// written yet, with the messages under them that still show.
	Waiting int64 `json:"waiting"`
}

// LagResult is how far a part is behind the topic's last stable offsets.
type LagResult struct {
	Records int64   `json:"records"`
	Seconds float64 `json:"seconds"` // age of the oldest record that waits
}

// Lags are the three lags.
type Lags struct {
	Hot    LagResult `json:"hot"`
	Cold   LagResult `json:"cold"`   // records that no checkpoint covers
	Commit LagResult `json:"commit"` // records that a checkpoint covers and the table does not
}

// Result is what was found. OK is true if and only if nothing is missing, duplicated, stale or extra.
type Result struct {
	OK              bool        `json:"ok"`
	Range           []RangeSpan `json:"range"`
	Topic           TopicResult `json:"topic"`
	Lake            LakeResult  `json:"lake"`
	Hot             HotResult   `json:"hot"`
	DroppedByPolicy int64       `json:"dropped_by_policy"`
	Lag             Lags        `json:"lag"`

	// Examples are a few of the things found wrong, one sentence each.
	Examples []string `json:"examples,omitempty"`
}

func (r *Result) judge() {
	r.OK = r.Lake.Missing+r.Lake.Duplicated+r.Lake.Extra+r.Hot.Missing+r.Hot.Stale+r.Hot.Extra == 0
}

const maxExamples = 20

func (r *Result) example(format string, a ...any) {
	if len(r.Examples) < maxExamples {
		r.Examples = append(r.Examples, fmt.Sprintf(format, a...))
	}
}

// Log is the topic.
type Log interface {
	// Spans says which offsets the topic holds; Next is the last stable offset.
	Spans(ctx context.Context) ([]RangeSpan, error)
	// Read gives every committed data record of the spans, each partition in offset order.
	Read(ctx context.Context, spans []RangeSpan, f func(Record) error) error
	// Committed is the next offset of a consumer group by partition.
	Committed(ctx context.Context, group string) (map[int32]int64, error)
}

// Record is one record of the topic; Value is valid during the call.
type Record struct {
	Partition int32
	Offset    int64
	Time      time.Time
	Value     []byte
}

// Lake is the table of events.
type Lake interface {
	// Open reads the table's metadata once; what the other methods answer is of that version.
	Open(ctx context.Context) error
	// Position is the table's next offset of the topic, by partition.
	Position() map[int32]int64
	// Rows gives every row, with the redaction policy of its file; one that came from another topic has offset -1. The batch is the callee's
	// for the call. gone is told of files that the table names and the store does not have.
	Rows(ctx context.Context, f func(b *schemas.Batch, policy int64) error, gone func(file string, rows int64)) error
	// Files counts the table's live files and their bytes, and the data files in the bucket that no version names.
	Files(ctx context.Context) (files, bytes, unreferenced int64, err error)
}

// Hot is the state table.
type Hot interface {
	// Messages gives every message of the state whose creation is known, deleted ones too.
	Messages(ctx context.Context, f func(HotMessage) error) error
	// Visible counts the messages that a reader may see.
	Visible(ctx context.Context) (int64, error)
	// Waiting counts edits and deletes that wait for their message, and deletes of channels that wait for being written.
	Waiting(ctx context.Context) (int64, error)
}

// HotMessage is a message of the state table; texts as XXH3-64. The versions are the ids of the events that its content
// and its deletion come from, and Policy is the redaction policy that the content went through.
type HotMessage struct {
	Key            MessageKey
	Content        uint64
	User           int64
	Deleted        bool
	ContentVersion int64
	DeletedVersion int64
	Policy         int64
}

// MessageKey names a message: two messages never share one.
type MessageKey struct {
	Channel, Message int64
	Hash             uint64 // of an opaque message id; 0 for a Snowflake
}

// Decoder is a codec.
type Decoder interface {
	Decode(b *schemas.Batch, r Record) error
}

// Redactor does to a batch what the pipelines do, dedup apart: the whole chain of a policy. What it drops or refuses, it
// removes or marks.
type Redactor interface {
	Process(b *schemas.Batch) error
}

// Config is what Run compares. Lake or Hot may be nil: that part is left out, and its counts are 0.
type Config struct {
	Log     Log
	Lake    Lake
	Hot     Hot
	Decoder Decoder
	// Bulk gives the messages that a bulk delete lists, as the codec judges their ids.
	Bulk     func(b *schemas.Batch, i int, f func(text []byte, id int64, known bool)) error
	Redactor Redactor
	Policy   int64 // version of the policy that Redactor applies
	// Earlier are the chains of policies of before, for records that these dropped and the present one does not.
	Earlier   []Redactor
	HotGroup  string
	ColdGroup string
	Progress  func(stage string, done, total int64) // nil: none
	Now       func() time.Time                      // default time.Now
}

// ErrMoved says that the topic has dropped records of the range while it was verified.
var ErrMoved = errors.New("retention moved the start of the topic")

// maxTries bounds how often Run begins again because the topic's start has moved.
const maxTries = 5

// Run compares. When retention drops records of the range meanwhile, it begins again.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string, int64, int64) {}
	}
	for try := 1; ; try++ {
		v := &run{cfg: cfg, result: &Result{}, state: state{}, touched: map[MessageKey]struct{}{}, places: newPlaces(), ahead: newPlaces()}
		err := v.once(ctx)
		if errors.Is(err, ErrMoved) && try < maxTries {
			continue
		}
		return v.result, err
	}
}

// once compares once. The order of reading matters while events arrive: positions and groups first, then the topic up to
// where it stood, then the stores, so that whatever the positions cover must be found.
func (v *run) once(ctx context.Context) error {
	for _, step := range []func(context.Context) error{v.bounds, v.topic, v.lake, v.hot, v.unmoved} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	v.result.judge()
	return nil
}

// unmoved fails with ErrMoved if the topic has dropped records of the range.
func (v *run) unmoved(ctx context.Context) error {
	now, err := v.cfg.Log.Spans(ctx)
	if err != nil {
		return err
	}
	for _, s := range now {
		for _, r := range v.result.Range {
			if s.Partition == r.Partition && s.From > r.From {
				return fmt.Errorf("%w: partition %d, from %d to %d", ErrMoved, s.Partition, r.From, s.From)
			}
		}
	}
	return nil
}

type run struct {
	cfg    Config
	result *Result

	position map[int32]int64 // of the table
	hotNext  map[int32]int64
	coldNext map[int32]int64
	whole    bool // the topic still holds its first offset in every partition

	log      logIndex
	state    state
	touched  map[MessageKey]struct{} // by events that the hot store need not have yet
	suspects []suspect

	places places                    // below the hot group's offsets
	ahead  places                    // above: the store may know of them or not
	covers map[int64]schemas.Version // deletes by channel, once the topic was read
}

// bounds asks where everything stands before anything is read.
func (v *run) bounds(ctx context.Context) (err error) {
	if v.cfg.Lake != nil {
		if err := v.cfg.Lake.Open(ctx); err != nil {
			return fmt.Errorf("lake: %w", err)
		}
		v.position = v.cfg.Lake.Position()
		if v.coldNext, err = v.cfg.Log.Committed(ctx, v.cfg.ColdGroup); err != nil {
			return err
		}
	}
	if v.cfg.Hot != nil {
		if v.hotNext, err = v.cfg.Log.Committed(ctx, v.cfg.HotGroup); err != nil {
			return err
		}
	}
	v.result.Range, err = v.cfg.Log.Spans(ctx)
	v.whole = true
	for _, s := range v.result.Range {
		v.whole = v.whole && s.From == 0
	}
	return err
}
