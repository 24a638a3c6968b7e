package parquet

import (
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"

	"github.com/coldstream/coldstream/schemas"
)

// encoder is the memory that encoding needs, kept from file to file. It holds one column of one row group at a time:
// its values without the nulls, and which rows are null.
type encoder struct {
	zstd *zstd.Encoder

	sorter sorter
	batch  [1]*schemas.Batch // for rows of one batch, and refs to them
	refs   []schemas.Ref

	fields []schemas.Fields // of the row group's rows
	levels []byte           // by row: 1 where the column has a value
	nulls  int
	longs  []int64
	texts  [][]byte
	places []uint64 // by text, where it lies: batch and offset
	index  []int32  // by value, in the dictionary; empty without one

	cols     [][]int64 // of the batches
	ints     [][]int32
	textCols [][]schemas.Text

	longDict longDict
	textDict textDict

	lengths []int32
	levelsB []byte // encoded levels of a page
	data    []byte // encoded values of a page
	packed  []byte // the same, compressed
	hashes  []uint64
}

func newEncoder() *encoder {
	// A reader checks nothing by zstd's own sum, and the lake has one of the whole file.
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return &encoder{zstd: z}
}

var (
	levelEncoding rle.Encoding
	indexEncoding rle.DictionaryEncoding
	deltaEncoding delta.BinaryPackedEncoding
)

func init() { levelEncoding.BitWidth = 1 }

// forget lets go of batches.
func (e *encoder) forget() {
	clear(e.texts[:cap(e.texts)])
	clear(e.cols[:cap(e.cols)])
	clear(e.ints[:cap(e.ints)])
	clear(e.textCols[:cap(e.textCols)])
	e.textDict.reset()
}

// gather takes a column's values of some rows.
func (e *encoder) gather(c *column, from []*schemas.Batch, rows []schemas.Ref) {
	e.longs, e.texts, e.index, e.nulls = e.longs[:0], e.texts[:0], e.index[:0], 0
	switch {
	case c.longs != nil:
		e.mark(c, rows)
		e.gatherLongs(c, from, rows)
	case c.ints != nil:
		e.ints = e.ints[:0]
		for _, b := range from {
			e.ints = append(e.ints, *c.ints(b))
		}
		for _, r := range rows {
			e.longs = append(e.longs, int64(e.ints[r.Batch][r.Row]))
		}
	default:
		e.gatherTexts(c, from, rows)
	}
}

// mark sets levels and nulls of a column that is null where the row lacks it.
func (e *encoder) mark(c *column, rows []schemas.Ref) {
	if c.required || c.present == 0 {
		return
	}
	e.levels = slices.Grow(e.levels[:0], len(rows))[:len(rows)]
	have := 0
	for i, f := range e.fields {
		has := byte(0)
		if f&c.present != 0 {
			has = 1
		}
		e.levels[i] = has
		have += int(has)
	}
	e.nulls = len(rows) - have
}

func (e *encoder) gatherLongs(c *column, from []*schemas.Batch, rows []schemas.Ref) {
	cols := e.cols[:0]
	for _, b := range from {
		cols = append(cols, *c.longs(b))
	}
	e.cols = cols
	out := slices.Grow(e.longs, len(rows))
	if e.nulls == 0 {
		for _, r := range rows {
			out = append(out, cols[r.Batch][r.Row])
		}
	} else {
		for i, r := range rows {
			if e.levels[i] != 0 {
				out = append(out, cols[r.Batch][r.Row])
			}
		}
	}
	e.longs = out
}

// gatherTexts takes texts where they lie. A text without a mark of its own is null where it is empty.
func (e *encoder) gatherTexts(c *column, from []*schemas.Batch, rows []schemas.Ref) {
	cols := e.textCols[:0]
	for _, b := range from {
		cols = append(cols, *c.texts(b))
	}
	e.textCols = cols
	out := slices.Grow(e.texts, len(rows))
	places := slices.Grow(e.places[:0], len(rows))
	if c.required || c.present != 0 {
		e.mark(c, rows)
		for i, r := range rows {
			if e.nulls == 0 || e.levels[i] != 0 {
				t := cols[r.Batch][r.Row]
				out, places = append(out, from[r.Batch].Bytes(t)), append(places, placeOf(r, t))
			}
		}
	} else {
		e.levels = slices.Grow(e.levels[:0], len(rows))[:len(rows)]
		for i, r := range rows {
			t := cols[r.Batch][r.Row]
			if e.levels[i] = 0; t.Len != 0 {
				e.levels[i] = 1
				out, places = append(out, from[r.Batch].Bytes(t)), append(places, placeOf(r, t))
			}
		}
		e.nulls = len(rows) - len(out)
	}
	e.texts, e.places = out, places
}

func placeOf(r schemas.Ref, t schemas.Text) uint64 { return uint64(r.Batch)<<32 | uint64(t.Off) }

// values is how many of the rows [from, to) have a value.
func (e *encoder) values(from, to int) int {
	if e.nulls == 0 {
		return to - from
	}
	n := 0
	for _, has := range e.levels[from:to] {
		n += int(has)
	}
	return n
}

// indexAll makes a dictionary of the column's values, unless it has too many distinct ones for it to pay.
func (e *encoder) indexAll(c *column) (ok bool) {
	if c.texts != nil {
		e.index, ok = e.textDict.index(e.index, e.texts, e.places, mostKeys(len(e.texts)))
	} else {
		e.index, ok = e.longDict.index(e.index, e.longs, mostKeys(len(e.longs)))
	}
	return ok
}
