package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/format"
)

// encodeLevels encodes which rows of a page have a value, as the format's definition levels: 1 bit each, runs and packed
// groups mixed, without a length before them as pages of version 2 have it.
func (e *encoder) encodeLevels(from, to, values int) ([]byte, error) {
	rows := to - from
	switch values {
	case rows:
		return append(binary.AppendUvarint(e.levelsB, uint64(rows)<<1), 1), nil
	case 0:
		return append(binary.AppendUvarint(e.levelsB, uint64(rows)<<1), 0), nil
	}
	return levelEncoding.EncodeLevels(e.levelsB, e.levels[from:to])
}

// encodeValues encodes values [first, last) into e.data.
func (e *encoder) encodeValues(c *column, dict bool, first, last int) (err error) {
	e.data = e.data[:0]
	switch {
	case len(e.longs)+len(e.texts) == 0: // the whole chunk is null, and its pages plain
	case dict:
		e.data, err = indexEncoding.EncodeInt32(e.data, e.index[first:last])
	case c.kind == kindText:
		err = e.encodeTexts(e.texts[first:last])
	case c.kind == kindInt:
		e.lengths = e.lengths[:0]
		for _, v := range e.longs[first:last] {
			e.lengths = append(e.lengths, int32(v))
		}
		e.data, err = deltaEncoding.EncodeInt32(e.data, e.lengths)
	default:
		e.data, err = deltaEncoding.EncodeInt64(e.data, e.longs[first:last])
	}
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return nil
}

// encodeTexts is DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. Text alone compresses better than text with a
// length before each.
func (e *encoder) encodeTexts(texts [][]byte) (err error) {
	e.lengths = e.lengths[:0]
	for _, t := range texts {
		e.lengths = append(e.lengths, int32(len(t)))
	}
	if e.data, err = deltaEncoding.EncodeInt32(e.data, e.lengths); err != nil {
		return err
	}
	for _, t := range texts {
		e.data = append(e.data, t...)
	}
	return nil
}

// compress gives e.data compressed; it stays valid until the next call.
func (e *encoder) compress() []byte {
	e.packed = e.zstd.EncodeAll(e.data, e.packed[:0])
	return e.packed
}

// pageHeader is format.PageHeader as far as we fill it. The library's encoder goes by reflection, which for a file of
// small windows costs more than their pages.
type pageHeader struct {
	kind       format.PageType
	encoding   format.Encoding
	values     int // nulls included
	nulls      int
	levels     int // bytes
	size       int // bytes of levels and values
	packed     int // the same where values are compressed
	compressed bool
}

// append encodes it by Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md): a field is a byte of its distance
// to the one before and its type, then its value.
func (h *pageHeader) append(dst []byte) []byte {
	const i32, structure, yes, no = 5, 12, 1, 2
	field := func(delta, kind byte) { dst = append(dst, delta<<4|kind) }
	number := func(n int) {
		field(1, i32)
		dst = binary.AppendUvarint(dst, uint64(n)<<1) // zigzag of what is never negative
	}
	number(int(h.kind))
	number(h.size)
	number(h.packed)
	if h.kind == format.DictionaryPage {
		field(4, structure) // field 7
		number(h.values)
		number(int(h.encoding))
		return append(dst, 0, 0)
	}
	field(5, structure) // field 8
	number(h.values)
	number(h.nulls)
	number(h.values) // rows
	number(int(h.encoding))
	number(h.levels)
	number(0) // repetition levels
	if h.compressed {
		field(1, yes)
	} else {
		field(1, no)
	}
	return append(dst, 0, 0)
}
