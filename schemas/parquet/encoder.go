package parquet

import (
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"

	"github.com/coldstream/coldstream/schemas"
)

// encoder is the memory that encoding needs, kept from file to file. It holds one column of one row group at a time:
// its values without the nulls, and which rows are null.
type encoder struct {
	zstd *zstd.Encoder

	fields []schemas.Fields // of the row group's rows
	levels []byte           // by row: 1 where the column has a value
	nulls  int
	longs  []int64
	texts  [][]byte
	index  []int32 // by value, in the dictionary; empty without one

	longDict longDict
	textDict textDict

	lengths []int32
	levelsB []byte // encoded levels of a page
	data    []byte // encoded values of a page
	packed  []byte // the same, compressed
	hashes  []uint64
	filter  bloom.SplitBlockFilter
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

// gather takes a column's values of some rows.
func (e *encoder) gather(c *column, b *schemas.Batch, rows []int32) {
	e.longs, e.texts, e.index, e.nulls = e.longs[:0], e.texts[:0], e.index[:0], 0
	if !c.required && (c.present != 0 || c.texts != nil) {
		e.mark(c, b, rows)
	}
	switch {
	case c.longs != nil:
		col := *c.longs(b)
		if e.nulls == 0 {
			for _, r := range rows {
				e.longs = append(e.longs, col[r])
			}
			return
		}
		for i, r := range rows {
			if e.levels[i] != 0 {
				e.longs = append(e.longs, col[r])
			}
		}
	case c.ints != nil:
		col := *c.ints(b)
		for _, r := range rows {
			e.longs = append(e.longs, int64(col[r]))
		}
	default:
		col := *c.texts(b)
		if e.nulls == len(rows) {
			return
		}
		for i, r := range rows {
			if e.nulls == 0 || e.levels[i] != 0 {
				e.texts = append(e.texts, b.Bytes(col[r]))
			}
		}
	}
}

// mark sets levels and nulls of an optional column: it is null where the row lacks it, a text without a mark of its own
// where it is empty.
func (e *encoder) mark(c *column, b *schemas.Batch, rows []int32) {
	e.levels = slices.Grow(e.levels[:0], len(rows))[:len(rows)]
	have := 0
	if c.present != 0 {
		for i, f := range e.fields {
			has := byte(0)
			if f&c.present != 0 {
				has = 1
			}
			e.levels[i] = has
			have += int(has)
		}
	} else {
		col := *c.texts(b)
		for i, r := range rows {
			has := byte(0)
			if col[r].Len != 0 {
				has = 1
			}
			e.levels[i] = has
			have += int(has)
		}
	}
	e.nulls = len(rows) - have
}

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
		e.index, ok = e.textDict.index(e.index, e.texts)
	} else {
		e.index, ok = e.longDict.index(e.index, e.longs)
	}
	return ok
}
