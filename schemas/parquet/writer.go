package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/coldstream/coldstream/schemas"
)

// Provenance says in a file's footer where it comes from.
type Provenance struct {
	Checkpoint string
	Worker     string
	Policy     int64         // redaction policy that every row went through
	Epoch      schemas.Epoch // of the Snowflakes
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
type Writer struct {
	buf    bytes.Buffer
	file   *pq.GenericWriter[any]
	chunks []Chunk
	stats  []Stats
	groups int
	rows   int64
	values []pq.Value
}

// NewWriter begins a file of windows with many rows each.
func NewWriter(from Provenance) *Writer { return newWriter(from, denseSchema) }

// NewSparseWriter begins a file whose windows have few rows each: the same columns without dictionaries.
func NewSparseWriter(from Provenance) *Writer { return newWriter(from, sparseSchema) }

func newWriter(from Provenance, schema *pq.Schema) *Writer {
	w := &Writer{stats: newStats(), values: make([]pq.Value, 0, pageRows)}
	opts := []pq.WriterOption{
		schema,
		pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		pq.CreatedBy("coldstream", formatVersion, "chunk"),
		pq.MaxRowsPerRowGroup(maxGroupRows),
		pq.BloomFilters(pq.SplitBlockFilter(bloomBits, "message_id"), pq.SplitBlockFilter(bloomBits, "user_id")),
		pq.SortingWriterConfig(pq.SortingColumns(pq.NullsFirst(pq.Ascending("channel_id")), pq.Ascending("event_id"))),
		pq.DataPageStatistics(false), // the page index has them
		pq.KeyValueMetadata(keyVersion, formatVersion),
		pq.KeyValueMetadata(keyCheckpoint, from.Checkpoint),
		pq.KeyValueMetadata(keyWorker, from.Worker),
		pq.KeyValueMetadata(keyPolicy, strconv.FormatInt(from.Policy, 10)),
		pq.KeyValueMetadata(keyEpoch, strconv.FormatInt(int64(from.Epoch), 10)),
	}
	for i := range columns {
		if !columns[i].bounds {
			opts = append(opts, pq.SkipPageBounds(columns[i].name))
		}
	}
	w.file = pq.NewGenericWriter[any](&w.buf, opts...)
	return w
}

const (
	bloomBits = 10   // bits a value: 1 % false positives
	pageRows  = 4096 // values handed over at once; a page is flushed between two such portions
)

// Size is about the bytes of the file so far.
func (w *Writer) Size() int { return w.buf.Len() }

// WriteWindow adds the rows of b named by rows as the chunk of a window. Windows come in ascending order, each once; rows
// is put into the file's order. The batch is only read.
func (w *Writer) WriteWindow(window schemas.Window, b *schemas.Batch, rows []int32) error {
	Sort(b, rows)
	chunk := Chunk{WindowMs: window.Start().UnixMilli(), RowGroup: w.groups, Rows: int64(len(rows))}
	for part := range slices.Chunk(rows, maxGroupRows) {
		if err := w.writeGroup(b, part); err != nil {
			return fmt.Errorf("write window %s: %w", window.Start().Format("2006-01-02T15:04"), err)
		}
		chunk.RowGroups++
	}
	w.groups += chunk.RowGroups
	w.rows += chunk.Rows
	w.chunks = append(w.chunks, chunk)
	return nil
}

// Sort puts rows of b into the order of a row group: rows without a channel first, then by channel, event id and where
// they came from.
func Sort(b *schemas.Batch, rows []int32) {
	slices.SortFunc(rows, func(x, y int32) int {
		switch {
		case !b.Fields[x].Has(schemas.FieldChannel) || !b.Fields[y].Has(schemas.FieldChannel):
			if has := b.Fields[x].Has(schemas.FieldChannel); has != b.Fields[y].Has(schemas.FieldChannel) {
				if has {
					return 1
				}
				return -1
			}
		case b.ChannelID[x] != b.ChannelID[y]:
			return less(b.ChannelID[x] < b.ChannelID[y])
		}
		switch {
		case b.EventID[x] != b.EventID[y]:
			return less(b.EventID[x] < b.EventID[y])
		case b.Partition[x] != b.Partition[y]:
			return int(b.Partition[x]) - int(b.Partition[y])
		}
		return int(b.Offset[x] - b.Offset[y])
	})
}

func less(is bool) int {
	if is {
		return -1
	}
	return 1
}

func (w *Writer) writeGroup(b *schemas.Batch, rows []int32) error {
	writers := w.file.ColumnWriters()
	for i := range columns {
		c := &columns[i]
		w.stats[i].add(c, b, rows)
		for part := range slices.Chunk(rows, pageRows) {
			w.values = c.appendValues(w.values[:0], b, part, i)
			if _, err := writers[i].WriteRowValues(w.values); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
		}
	}
	return w.file.Flush()
}

// appendValues makes the library's values of some rows; texts stay in the batch's arena.
func (c *column) appendValues(dst []pq.Value, b *schemas.Batch, rows []int32, place int) []pq.Value {
	defined := 1
	if c.required {
		defined = 0
	}
	switch {
	case c.longs != nil:
		col := *c.longs(b)
		for _, r := range rows {
			if c.null(b, r) {
				dst = append(dst, pq.NullValue().Level(0, 0, place))
			} else {
				dst = append(dst, pq.Int64Value(col[r]).Level(0, defined, place))
			}
		}
	case c.ints != nil:
		col := *c.ints(b)
		for _, r := range rows {
			dst = append(dst, pq.Int32Value(col[r]).Level(0, defined, place))
		}
	default:
		col := *c.texts(b)
		for _, r := range rows {
			if c.null(b, r) {
				dst = append(dst, pq.NullValue().Level(0, 0, place))
			} else {
				dst = append(dst, pq.ByteArrayValue(b.Bytes(col[r])).Level(0, defined, place))
			}
		}
	}
	return dst
}

// Finish closes the file. The writer is of no more use. A file without rows is an error.
func (w *Writer) Finish() (*File, error) {
	if w.rows == 0 {
		return nil, fmt.Errorf("finish chunk file: it has no rows")
	}
	windows, err := json.Marshal(w.chunks)
	if err != nil {
		return nil, fmt.Errorf("encode windows: %w", err)
	}
	w.file.SetKeyValueMetadata(keyWindows, string(windows))
	if err := w.file.Close(); err != nil {
		return nil, fmt.Errorf("finish chunk file: %w", err)
	}
	f := &File{Rows: w.rows, Chunks: w.chunks, Stats: w.stats}
	if err := f.finishFooter(w.buf.Bytes()); err != nil {
		return nil, fmt.Errorf("finish chunk file: %w", err)
	}
	return f, nil
}
