// Package rebuild makes the archive's table again from its data files, when its metadata is lost or damaged.
//
// [Run] is the one to know. Every data file on the store is read: which records of the topic each row comes from. A record is
// taken once, whichever files have it: a file whose records are all new is taken as it is, one whose records are all
// there is left out, and of one in between the new rows are written to a file of their own. So files of checkpoints that
// were never announced, files that compactions replaced and those that replaced them may all be there at once.
// Compacted files come first, and the repeats that they removed stay removed. The positions are the highest of what the rows
// reach, the archive's group has committed and `chunks` says.
//
// It needs the brokers, and no worker may run. It deletes nothing: a second run gives the same table.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
)

var (
	// ErrThere says that the table can be read, and so need not be made again.
	ErrThere = errors.New("the table can be read: there is nothing to rebuild")
	// ErrUnreadable says that a data file cannot be read.
	ErrUnreadable = errors.New("a data file cannot be read: what it has would be lost; move it away to go on without")
)

// Config is what a rebuild needs.
type Config struct {
	Table  *lake.Table
	Client []kgo.Opt
	Topic  string // of events
	Chunks string // of checkpoint records
	Group  string // of the archive's workers
	// DedupWindow is frozen in the table; the epoch is the files'.
	DedupWindow int64
	// Replace goes on where the table can be read.
	Replace bool
	// DryRun only looks.
	DryRun bool

	Log *slog.Logger
	// Progress, if set, is told of data files that were looked at.
	Progress func(done, total int64)
}

// Result is what was found and done.
type Result struct {
	DryRun   bool       `json:"dry_run"`
	Found    int        `json:"found"`    // data files on the store
	Whole    int        `json:"whole"`    // taken as they are
	Part     int        `json:"part"`     // of which some rows were taken, in a new file each
	LeftOut  int        `json:"left_out"` // whose records others have
	Rows     int64      `json:"rows"`     // in the table
	Repeats  int64      `json:"repeats"`  // removed by compactions, and left out again
	Sources  int        `json:"sources"`
	Position []Position `json:"position"`
	Version  int64      `json:"version"`
}

// Position is where a partition goes on.
type Position struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"`
}

// sourceKey is a partition of a source.
type sourceKey struct{ source, partition int32 }

type rebuild struct {
	cfg    *Config
	blocks *objects.Blocks
	id     string
	began  time.Time
	said   lake.Announced

	files  []*file
	taken  map[sourceKey]*roaring64.Bitmap
	topics map[int32]lake.Source // that footers name, by source
	live   []lake.DataFile
	epoch  schemas.Epoch
	result Result
}

// cacheBytes is what is kept of files between two looks.
const cacheBytes = 64 << 20

// Run rebuilds the table. Errors: ErrThere, ErrUnreadable, lake.ErrHeld while a worker runs, or the store's and the brokers'.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Progress == nil {
		cfg.Progress = func(int64, int64) {}
	}
	r := &rebuild{
		cfg: &cfg, blocks: cfg.Table.Store().Blocks(cacheBytes), id: uuid.NewString(), began: time.Now(),
		taken: map[sourceKey]*roaring64.Bitmap{}, topics: map[int32]lake.Source{}, result: Result{DryRun: cfg.DryRun, Position: []Position{}},
	}
	if err := r.run(ctx); err != nil {
		return r.result, fmt.Errorf("rebuild: %w", err)
	}
	return r.result, nil
}

func (r *rebuild) run(ctx context.Context) (err error) {
	if err = r.needed(ctx); err != nil {
		return err
	}
	if r.said, err = lake.AskAnnounced(ctx, r.cfg.Client, r.cfg.Topic, r.cfg.Chunks, r.cfg.Group); err != nil {
		return err
	}
	if err = r.find(ctx); err != nil {
		return err
	}
	for i, f := range r.files {
		r.cfg.Progress(int64(i), int64(len(r.files)))
		if err = r.take(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	r.cfg.Progress(int64(len(r.files)), int64(len(r.files)))
	table := r.table()
	if r.cfg.DryRun {
		return nil
	}
	v, err := r.cfg.Table.Restore(ctx, table)
	if err != nil {
		return err
	}
	r.result.Version = v.N
	return nil
}

// needed refuses where the table and its manifests can be read.
func (r *rebuild) needed(ctx context.Context) error {
	if r.cfg.Replace {
		return nil
	}
	v, err := r.cfg.Table.Load(ctx)
	if err == nil {
		_, err = v.Files(ctx, lake.Filter{})
	}
	switch {
	case err == nil:
		return ErrThere
	case errors.Is(err, lake.ErrUnknownVersion), errors.Is(err, objects.ErrDenied), ctx.Err() != nil:
		return err
	}
	r.cfg.Log.Info("the table cannot be read and is made again", "because", err)
	return nil
}

// table puts together what was found.
func (r *rebuild) table() lake.Restoration {
	present := r.sources()
	out := lake.Restoration{
		Files: r.live, Position: lake.Position{Chunks: r.said.Chunks},
		Frozen: lake.Frozen{Epoch: int64(r.epoch), DedupWindow: r.cfg.DedupWindow},
	}
	for n := range present {
		s, ok := r.topics[n]
		if !ok {
			s = lake.Source{Cluster: r.said.Topic.Cluster, Topic: r.said.Topic.Topic, TopicID: fmt.Sprintf("lost-%d", n)}
		}
		out.Sources = append(out.Sources, s)
	}
	out.Sources = append(out.Sources, r.said.Topic)
	for k, have := range r.taken {
		if k.source == present && !have.IsEmpty() {
			r.said.Next[k.partition] = max(r.said.Next[k.partition], int64(have.Maximum())+1)
		}
	}
	for p, next := range r.said.Next {
		out.Position.Sources = append(out.Position.Sources, lake.SourcePosition{
			Source: int(present), Cluster: r.said.Topic.Cluster, Topic: r.said.Topic.Topic, TopicID: r.said.Topic.TopicID, Partition: p, Next: next,
		})
		r.result.Position = append(r.result.Position, Position{r.said.Topic.Topic, p, next})
	}
	r.result.Sources = len(out.Sources)
	return out
}

// sources numbers the topic that there is: the newest that rows come from, or the one after it, where footers say that
// those come from another. Of older topics whose files have no such footers only the number is known.
func (r *rebuild) sources() (present int32) {
	for k := range r.taken {
		present = max(present, k.source)
	}
	if s, ok := r.topics[present]; ok && (s.TopicID != r.said.Topic.TopicID || s.Cluster != r.said.Topic.Cluster) {
		present++
	}
	return present
}
