package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"

	"github.com/buger/jsonparser"
	pq "github.com/parquet-go/parquet-go"

	"github.com/coldstream/coldstream/schemas"
)

// ErrFormat says that a file is not a chunk file that this release reads.
var ErrFormat = errors.New("not a chunk file of a known format")

// Reader reads a chunk file. It may be used by several goroutines, if its ReaderAt may.
type Reader struct {
	file   *pq.File
	from   Provenance
	chunks []Chunk
	places []int // of columns in the file
}

// Open reads the footer. Errors: ErrFormat, or the ReaderAt's.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	file, err := pq.OpenFile(r, size, pq.SkipPageIndex(true), pq.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("open chunk file: %w", err)
	}
	f := &Reader{file: file}
	if err := f.readFooter(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Reader) readFooter() error {
	value := func(key string) string { v, _ := f.file.Lookup(key); return v }
	if v := value(keyVersion); v != formatVersion {
		return fmt.Errorf("%w: format %q, this release reads %s", ErrFormat, v, formatVersion)
	}
	f.from = Provenance{Checkpoint: value(keyCheckpoint), Worker: value(keyWorker)}
	var err error
	if f.from.Policy, err = strconv.ParseInt(value(keyPolicy), 10, 64); err != nil {
		return fmt.Errorf("%w: policy: %w", ErrFormat, err)
	}
	epoch, err := strconv.ParseInt(value(keyEpoch), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: epoch: %w", ErrFormat, err)
	}
	f.from.Epoch = schemas.Epoch(epoch)
	if err := json.Unmarshal([]byte(value(keyWindows)), &f.chunks); err != nil {
		return fmt.Errorf("%w: windows: %w", ErrFormat, err)
	}
	if sources := value(keySources); sources != "" {
		if err := json.Unmarshal([]byte(sources), &f.from.Sources); err != nil {
			return fmt.Errorf("%w: sources: %w", ErrFormat, err)
		}
	}
	return f.findColumns()
}

// findColumns looks the columns up by their field ids: an older release may have called one by another name, and had
// fewer of them. An int column that is a long one by now is read as it is.
func (f *Reader) findColumns() error {
	f.places = make([]int, len(columns))
	for i := range columns {
		f.places[i] = -1
		for _, have := range f.file.Root().Columns() {
			if have.ID() == columns[i].id && have.Leaf() {
				f.places[i] = have.Index()
			}
		}
		if f.places[i] < 0 && columns[i].required {
			return fmt.Errorf("%w: no column %s (field id %d)", ErrFormat, columns[i].name, columns[i].id)
		}
	}
	return nil
}

// Provenance says where the file comes from.
func (f *Reader) Provenance() Provenance { return f.from }

// Chunks are the file's windows in ascending order.
func (f *Reader) Chunks() []Chunk { return f.chunks }

// Rows is the number of rows.
func (f *Reader) Rows() int64 { return f.file.NumRows() }

// Query chooses what to read. The zero value is everything.
type Query struct {
	From, To int64    // event time in Unix microseconds, [From, To); windows outside are not read. To 0: no end
	Columns  []string // names; those not named have zero values and count as absent. nil: all
}

// Batches reads the row groups of the chosen windows, each as one batch, in the file's order. Windows are whole: rows of
// a window that the bounds cut are all there. The batch is the loop's until its next turn. Errors end the sequence.
func (f *Reader) Batches(q Query) iter.Seq2[*schemas.Batch, error] {
	if q.To == 0 {
		q.To = math.MaxInt64
	}
	return func(yield func(*schemas.Batch, error) bool) {
		b := schemas.GetBatch()
		defer b.Release()
		for _, c := range f.chunks {
			start := c.WindowMs * 1000
			if start+schemas.WindowLength.Microseconds() <= q.From || start >= q.To {
				continue
			}
			for g := c.RowGroup; g < c.RowGroup+c.RowGroups; g++ {
				b.Reset()
				if err := f.ReadRowGroup(b, g, q.Columns); err != nil {
					yield(nil, err)
					return
				}
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// ReadRowGroup appends the rows of one row group to b. Hashes and Fields are made again from texts and nulls.
func (f *Reader) ReadRowGroup(b *schemas.Batch, group int, names []string) error {
	groups := f.file.RowGroups()
	if group < 0 || group >= len(groups) {
		return fmt.Errorf("row group %d of %d: %w", group, len(groups), ErrFormat)
	}
	first := b.Len()
	var empty schemas.Row
	for range groups[group].NumRows() {
		b.Append(&empty)
	}
	for i := range columns {
		if f.places[i] < 0 || !chosen(names, columns[i].name) {
			continue
		}
		if err := columns[i].read(b, first, groups[group].ColumnChunks()[f.places[i]]); err != nil {
			return fmt.Errorf("read row group %d, column %s: %w", group, columns[i].name, err)
		}
	}
	derive(b, first)
	return nil
}

func chosen(names []string, name string) bool {
	if names == nil {
		return true
	}
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// read fills the rows of b from first on.
func (c *column) read(b *schemas.Batch, first int, chunk pq.ColumnChunk) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	values := make([]pq.Value, 1024)
	for row := first; ; {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			if row != b.Len() {
				return fmt.Errorf("%w: %d rows of %d", ErrFormat, row-first, b.Len()-first)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if row, err = c.readPage(b, row, page.Values(), values); err != nil {
			return err
		}
		pq.Release(page)
	}
}

func (c *column) readPage(b *schemas.Batch, row int, from pq.ValueReader, buf []pq.Value) (int, error) {
	for {
		n, err := from.ReadValues(buf)
		if row+n > b.Len() {
			return row, fmt.Errorf("%w: more values than rows", ErrFormat)
		}
		for _, v := range buf[:n] {
			c.set(b, row, v)
			row++
		}
		if errors.Is(err, io.EOF) {
			return row, nil
		}
		if err != nil {
			return row, err
		}
	}
}

func (c *column) set(b *schemas.Batch, row int, v pq.Value) {
	if v.IsNull() {
		return
	}
	b.Fields[row] |= c.present
	switch {
	case c.longs != nil:
		(*c.longs(b))[row] = v.Int64()
	case c.ints != nil:
		(*c.ints(b))[row] = v.Int32()
	default:
		(*c.texts(b))[row] = b.AddText(v.ByteArray())
	}
}

// derive makes what the file does not hold.
func derive(b *schemas.Batch, first int) {
	for i := first; i < b.Len(); i++ {
		b.Type[i] = schemas.ParseType(b.Bytes(b.TypeName[i]))
		if ref := b.Bytes(b.EventRef[i]); len(ref) > 0 {
			b.EventHash[i] = schemas.HashRef(ref)
		}
		if ref := b.Bytes(b.MessageRef[i]); len(ref) > 0 {
			b.MessageHash[i] = schemas.HashRef(ref)
		}
		if resolves(b.Bytes(b.Extra[i])) {
			b.Fields[i] |= schemas.FieldResolves
		}
	}
}

// resolves reports whether a resolver made the event: it names the original beside its other fields.
func resolves(extra []byte) bool {
	if !bytes.Contains(extra, []byte(`"resolves"`)) {
		return false
	}
	_, _, _, err := jsonparser.Get(extra, "resolves")
	return err == nil
}
