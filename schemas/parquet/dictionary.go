package parquet

import (
	"bytes"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// A dictionary pays while it is small beside the column: one of more values than dictLimit, or of more than a half of
// the rows, is given up.
const dictLimit = 64 << 10

// longDict numbers distinct integers in the order of their first appearance, by an open-addressing table that is at most
// half full. Rows are sorted by channel, so that a value is often the one before it.
type longDict struct {
	keys  []int64 // by number
	table []int32 // number + 1; 0: free
}

func (d *longDict) reset(values int) {
	d.keys = d.keys[:0]
	d.table = clearTable(d.table, values)
}

// clearTable gives a table with room for the dictionary of so many values.
func clearTable(table []int32, values int) []int32 {
	size := 1 << bits.Len(uint(2*min(values/2+1, dictLimit)))
	if size <= cap(table) {
		table = table[:size]
		clear(table)
		return table
	}
	return make([]int32, size)
}

// index appends the number of each value to dst; false if a dictionary does not pay.
func (d *longDict) index(dst []int32, values []int64) ([]int32, bool) {
	d.reset(len(values))
	if len(values) == 0 {
		return dst, true
	}
	most := min(max(len(values)/2, 1), dictLimit)
	shift := 64 - bits.Len(uint(len(d.table)-1))
	last, number := ^values[0], int32(0)
	for _, v := range values {
		if v != last {
			at := int(uint64(v) * 0x9e3779b97f4a7c15 >> shift)
			for d.table[at] != 0 && d.keys[d.table[at]-1] != v {
				at = (at + 1) & (len(d.table) - 1)
			}
			if d.table[at] == 0 {
				if len(d.keys) == most {
					return dst, false
				}
				d.keys = append(d.keys, v)
				d.table[at] = int32(len(d.keys))
			}
			last, number = v, d.table[at]-1
		}
		dst = append(dst, number)
	}
	return dst, true
}

// textDict is the same for texts; keys lie where the values do.
type textDict struct {
	keys  [][]byte
	table []int32
}

func (d *textDict) reset(values int) {
	clear(d.keys) // they point into a batch
	d.keys = d.keys[:0]
	d.table = clearTable(d.table, values)
}

func (d *textDict) index(dst []int32, values [][]byte) ([]int32, bool) {
	d.reset(len(values))
	most := min(max(len(values)/2, 1), dictLimit)
	shift := 64 - bits.Len(uint(len(d.table)-1))
	var last []byte
	number := int32(-1)
	for _, v := range values {
		if number < 0 || !bytes.Equal(v, last) {
			at := int(xxh3.Hash(v) >> shift)
			for d.table[at] != 0 && !bytes.Equal(d.keys[d.table[at]-1], v) {
				at = (at + 1) & (len(d.table) - 1)
			}
			if d.table[at] == 0 {
				if len(d.keys) == most {
					return dst, false
				}
				d.keys = append(d.keys, v)
				d.table[at] = int32(len(d.keys))
			}
			last, number = v, d.table[at]-1
		}
		dst = append(dst, number)
	}
	return dst, true
}
