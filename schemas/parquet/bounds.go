package parquet

import (
	"bytes"
	"encoding/binary"
)

// bounds are the least and greatest value of some rows; texts point into a batch.
type bounds struct {
	has              bool
	min, max         int64
	minText, maxText []byte
}

func (e *encoder) boundsOf(c *column, first, last int) (b bounds) {
	if first == last {
		return b
	}
	b.has = true
	if c.kind != kindText {
		b.min, b.max = e.longs[first], e.longs[first]
		for _, v := range e.longs[first:last] {
			b.min, b.max = min(b.min, v), max(b.max, v)
		}
		return b
	}
	b.minText, b.maxText = e.texts[first], e.texts[first]
	for _, t := range e.texts[first:last] {
		if bytes.Compare(t, b.minText) < 0 {
			b.minText = t
		} else if bytes.Compare(t, b.maxText) > 0 {
			b.maxText = t
		}
	}
	return b
}

func (b *bounds) merge(c bounds) {
	switch {
	case !c.has:
		return
	case !b.has:
		*b = c
		return
	}
	b.min, b.max = min(b.min, c.min), max(b.max, c.max)
	if bytes.Compare(c.minText, b.minText) < 0 {
		b.minText = c.minText
	}
	if bytes.Compare(c.maxText, b.maxText) > 0 {
		b.maxText = c.maxText
	}
}

// encode gives both as statistics have them: plain, a text without its length. They are copies.
func (b *bounds) encode(c *column) (least, greatest []byte) {
	switch c.kind {
	case kindText:
		return bytes.Clone(b.minText), bytes.Clone(b.maxText)
	case kindInt:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.min)), binary.LittleEndian.AppendUint32(nil, uint32(b.max))
	default:
		return binary.LittleEndian.AppendUint64(nil, uint64(b.min)), binary.LittleEndian.AppendUint64(nil, uint64(b.max))
	}
}
