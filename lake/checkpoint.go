package lake

import (
	"encoding/json"
	"errors"
	"fmt"
)

// CheckpointVersion is the format of the checkpoint records that this release writes and reads.
const CheckpointVersion = 1

// ErrUnknownVersion says that a record, a list of files or a position was written in a format that this
// release does not know. Nothing may be skipped: whoever meets it stops and tells the operator.
var ErrUnknownVersion = errors.New("unknown format version: written by another release of coldstream")

// ErrMalformed says that a record cannot be what a worker of ours wrote: not JSON, or inconsistent in itself.
var ErrMalformed = errors.New("malformed checkpoint")

// Checkpoint is the record of topic `chunks` that says: these files hold exactly the rows of these offsets.
//
// It is written once, by the worker that owns the partitions, in the Kafka transaction that commits the same
// offsets; the committer takes it whole or not at all. In JSON it is one object, see the field tags.
type Checkpoint struct {
	FormatVersion int    `json:"format_version"` // set by Encode
	ID            string `json:"id"`             // random and unique, also part of the names of its files
	Worker        string `json:"worker"`         // stable instance id of the worker
	Policy        int64  `json:"policy"`         // version of the redaction policy in force when it closed
	ErasuresNext  int64  `json:"erasures_next"`  // next offset of topic `erasures`: all before it was applied
	CreatedMs     int64  `json:"created_ms"`     // worker's wall clock when it closed, Unix milliseconds

	// Sources has one entry for every source partition that the worker held, no partition twice. From == Next
	// is allowed: nothing new in the partition, but CompleteMs may rise.
	Sources []SourceRange `json:"sources"`
	// Files may be empty: offsets that gave no rows (repeats, dead letters) are moved past all the same.
	Files []DataFile `json:"files,omitempty"`
	// FilesObject names the object that holds the list instead of Files, when the record would be too large.
	FilesObject *FilesObject `json:"files_object,omitempty"`

	Counters Counters `json:"counters"`
}

// SourceRange is what a checkpoint covers of one source partition: the offsets [From, Next).
type SourceRange struct {
	Cluster   string `json:"cluster"`  // Kafka cluster id
	Topic     string `json:"topic"`    // name, for people
	TopicID   string `json:"topic_id"` // topic id (UUID text); a topic made again has another
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // the position before: first offset covered
	Next      int64  `json:"next"` // the position after: first offset not covered

	// CompleteMs is a Kafka record time in Unix milliseconds: the worker has read every record of this
	// partition whose time is earlier. The time of record Next-1, or, where the worker stood at the last
	// stable offset, the broker's or worker's time at that poll less a margin for clocks. 0: not known.
	CompleteMs int64 `json:"complete_ms,omitempty"`
}

// DataFile is one Parquet file of one event-time day.
type DataFile struct {
	Path   string        `json:"path"` // below the table's location: data/<name>.parquet
	Size   int64         `json:"size"` // bytes
	Hash   string        `json:"hash"` // "xxh3:<32 hex digits>" (128 bits) or "sha256:<64 hex digits>" of the bytes
	Rows   int64         `json:"rows"`
	Day    int32         `json:"day"`    // partition: days since 1970-01-01 UTC of every row's event_time
	Policy int64         `json:"policy"` // redaction policy that every row went through
	Chunks []Chunk       `json:"chunks"` // in the order of the row groups
	Stats  []ColumnStats `json:"stats"`  // by ascending field id
	Splits []int64       `json:"splits,omitempty"`
}

// Chunk is the rows of one five-minute window inside a file: whole row groups, never shared with another window.
type Chunk struct {
	WindowMs  int64 `json:"window_ms"` // start of the window, Unix milliseconds
	RowGroup  int   `json:"row_group"` // its first row group
	RowGroups int   `json:"row_groups"`
	Rows      int64 `json:"rows"`
}

// ColumnStats is what the table's manifests say of one column of one file.
// Lower and Upper are Iceberg's single-value serialisation (see LongBound, TimeBound, TextBounds); both nil: no bounds.
// Columns of user text (see NoBounds) must not have bounds, nulls and values only.
type ColumnStats struct {
	FieldID int    `json:"id"`
	Values  int64  `json:"values"` // nulls included
	Nulls   int64  `json:"nulls"`
	Bytes   int64  `json:"bytes,omitempty"` // compressed bytes in the file
	Lower   []byte `json:"lower,omitempty"`
	Upper   []byte `json:"upper,omitempty"`
}

// FilesObject names an object with a checkpoint's list of files: {"format_version":1,"files":[…]}.
type FilesObject struct {
	Path  string `json:"path"` // below the table's location: checkpoints/<id>.json
	Size  int64  `json:"size"`
	Hash  string `json:"hash"` // as DataFile.Hash
	Count int    `json:"count"`
}

// Counters says what became of the offsets of a checkpoint.
type Counters struct {
	Events  int64 `json:"events"`  // rows in the files
	Repeats int64 `json:"repeats"` // dropped by dedup
	Dead    int64 `json:"dead"`    // dead letters written in the same transaction
}

// Encode gives the record of c. It does not look at its size; see Table.EncodeCheckpoint, which moves
// a long list of files into an object.
func Encode(c Checkpoint) ([]byte, error) {
	c.FormatVersion = CheckpointVersion
	if err := c.validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint %s: %w", c.ID, err)
	}
	return b, nil
}

// Decode reads a record. Errors: ErrUnknownVersion, ErrMalformed. If FilesObject is set then Files is still
// empty; see Table.DecodeCheckpoint, which reads it too.
func Decode(record []byte) (*Checkpoint, error) {
	if err := checkVersion(record, CheckpointVersion); err != nil {
		return nil, err
	}
	c := new(Checkpoint)
	if err := json.Unmarshal(record, c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// checkVersion looks at format_version before anything else is believed.
func checkVersion(doc []byte, want int) error {
	var v struct {
		FormatVersion *int `json:"format_version"`
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch {
	case v.FormatVersion == nil:
		return fmt.Errorf("%w: no format_version", ErrMalformed)
	case *v.FormatVersion != want:
		return fmt.Errorf("%w: format_version %d, this release reads %d", ErrUnknownVersion, *v.FormatVersion, want)
	}
	return nil
}
