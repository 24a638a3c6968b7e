package parquet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/coldstream/coldstream/schemas"
)

// Provenance says in a file's footer where it comes from.
type Provenance struct {
	Checkpoint string
	Worker     string
	Policy     int64         // redaction policy that every row went through
	Epoch      schemas.Epoch // of the Snowflakes
	Sources    []SourceRange // what the rows were picked from, by source and partition; none: not known
}

// SourceRange is a part of a topic: every row of the file that names this source and partition has an offset in
// [From, Next). Other files may have rows of the same range.
type SourceRange struct {
	Source    int32  `json:"source"`   // as in the column of that name
	Cluster   string `json:"cluster"`  // Kafka cluster id
	Topic     string `json:"topic"`    // name, for people
	TopicID   string `json:"topic_id"` // UUID text
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	Next      int64  `json:"next"`
}

// Join adds ranges to others, one for each source and partition, in order: the smallest that holds both.
func Join(all, more []SourceRange) []SourceRange {
	for _, r := range more {
		i, found := slices.BinarySearchFunc(all, r, func(a, b SourceRange) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition))
		})
		if !found {
			all = slices.Insert(all, i, r)
			continue
		}
		all[i].From, all[i].Next = min(all[i].From, r.From), max(all[i].Next, r.Next)
	}
	return all
}

// SparseRows is the mean number of rows of a window below which a file is better written as a sparse one.
const SparseRows = 64

// Chunk is the rows of one window: whole row groups.
type Chunk struct {
	WindowMs  int64 `json:"window_ms"` // start of the window, Unix milliseconds
	RowGroup  int   `json:"row_group"`
	RowGroups int   `json:"row_groups"`
	Rows      int64 `json:"rows"`
}

// File is a finished chunk file and what manifests say of it.
type File struct {
	Bytes  []byte
	Rows   int64
	Chunks []Chunk
	Stats  []Stats // by ascending field id
	Splits []int64 // where each row group begins
}

// Writer makes one chunk file in memory. It belongs to one goroutine.
//
// It encodes pages by itself, a column at a time from the batch's own arrays: the library's writer takes a tagged value
// of 24 bytes for each field of each row, and spent more time on those than on encoding. Encodings, Thrift structures
// and Bloom filters are the library's.
type Writer struct {
	from   Provenance
	sparse bool
	out    []byte // the file so far
	groups []format.RowGroup
	pages  [][]pageIndex // by row group and column
	chunks []Chunk
	stats  []Stats
	rows   int64
	enc    *encoder // from a pool, until Finish
}

// encoders are those that nobody uses: as many as a worker builds files at once. A sync.Pool would lose them, and the
// megabytes that they have grown to, at every garbage collection.
var encoders = make(chan *encoder, 3)

func getEncoder() *encoder {
	select {
	case e := <-encoders:
		return e
	default:
		return newEncoder()
	}
}

func putEncoder(e *encoder) {
	e.forget()
	select {
	case encoders <- e:
	default:
	}
}

// NewWriter begins a file of windows with many rows each.
func NewWriter(from Provenance) *Writer { return newWriter(from, false) }

// NewSparseWriter begins a file whose windows have few rows each: the same columns without dictionaries.
func NewSparseWriter(from Provenance) *Writer { return newWriter(from, true) }

func newWriter(from Provenance, sparse bool) *Writer {
	return &Writer{from: from, sparse: sparse, out: []byte(magic), stats: newStats(), enc: getEncoder()}
}

const (
	bloomBits = 10    // bits a value: 1 % false positives
	pageRows  = 16384 // rows of a page, of every column alike
)

// rowBytes is about what a row of chat takes in a file.
const rowBytes = 40

// Reserve makes room for rows, so that the file does not move as it grows.
func (w *Writer) Reserve(rows int) { w.out = slices.Grow(w.out, rows*rowBytes) }

// Size is about the bytes of the file so far.
func (w *Writer) Size() int { return len(w.out) }

// WriteWindow adds the rows of b named by rows as the chunk of a window. Windows come in ascending order, each once. The
// batch is only read.
func (w *Writer) WriteWindow(window schemas.Window, b *schemas.Batch, rows []int32) error {
	e := w.enc
	e.refs = slices.Grow(e.refs[:0], len(rows))
	for _, r := range rows {
		e.refs = append(e.refs, schemas.Ref{Row: r})
	}
	e.batch[0] = b
	defer func() { e.batch[0] = nil }()
	return w.WriteRefs(window, e.batch[:], e.refs)
}

// WriteRefs is WriteWindow for rows of several batches; rows is put into the file's order.
func (w *Writer) WriteRefs(window schemas.Window, from []*schemas.Batch, rows []schemas.Ref) error {
	w.enc.sorter.sort(from, rows)
	chunk := Chunk{WindowMs: window.Start().UnixMilli(), RowGroup: len(w.groups), Rows: int64(len(rows))}
	for part := range slices.Chunk(rows, maxGroupRows) {
		if err := w.writeGroup(from, part); err != nil {
			return fmt.Errorf("write window %s: %w", window.Start().Format("2006-01-02T15:04"), err)
		}
		chunk.RowGroups++
	}
	w.rows += chunk.Rows
	w.chunks = append(w.chunks, chunk)
	return nil
}

// Finish closes the file. The writer is of no more use. A file without rows is an error.
func (w *Writer) Finish() (*File, error) {
	if w.enc != nil {
		putEncoder(w.enc)
		w.enc = nil
	}
	if w.rows == 0 {
		return nil, fmt.Errorf("finish chunk file: it has no rows")
	}
	windows, err := json.Marshal(w.chunks)
	if err != nil {
		return nil, fmt.Errorf("encode windows: %w", err)
	}
	f := &File{Rows: w.rows, Chunks: w.chunks, Stats: w.stats}
	for i := range w.groups {
		f.Splits = append(f.Splits, w.groups[i].FileOffset)
	}
	if err := w.footer(string(windows)); err != nil {
		return nil, fmt.Errorf("finish chunk file: %w", err)
	}
	f.Bytes = w.out
	return f, nil
}
