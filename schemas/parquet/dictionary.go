package parquet

import (
	"bytes"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// A dictionary pays while it is small beside the column: one of more values than dictLimit, or of more than a half of
// the rows, is given up.
const dictLimit = 64 << 10

func mostKeys(values int) int { return min(max(values/2, 1), dictLimit) }

// firstTable is the length of a new table; it grows with what it holds.
const firstTable = 1 << 10

// longDict numbers distinct integers in the order of their first appearance, by an open-addressing table that is at most
// half full. Rows are sorted by channel, so that a value is often the one before it.
type longDict struct {
	keys  []int64 // by number
	table []int32 // number + 1; 0: free
	shift int     // of a hash, for a place in table
}

func (d *longDict) reset() {
	d.keys = d.keys[:0]
	d.table, d.shift = emptyTable(d.table, firstTable)
}

// emptyTable gives a table of n places, a power of two, from the memory of another where it can.
func emptyTable(old []int32, n int) (table []int32, shift int) {
	shift = 64 - bits.Len(uint(n-1))
	if cap(old) < n {
		return make([]int32, n), shift
	}
	clear(old[:n])
	return old[:n], shift
}

// index appends the number of each value to dst; false if there are more than most distinct ones.
func (d *longDict) index(dst []int32, values []int64, most int) ([]int32, bool) {
	d.reset()
	if len(values) == 0 {
		return dst, true
	}
	last, number := ^values[0], int32(0)
	for _, v := range values {
		if v != last {
			at := d.find(v)
			if d.table[at] == 0 {
				if len(d.keys) == most {
					return dst, false
				}
				at = d.add(v, at)
			}
			last, number = v, d.table[at]-1
		}
		dst = append(dst, number)
	}
	return dst, true
}

// find gives the place of a value, or a free one for it.
func (d *longDict) find(v int64) int {
	at := int(uint64(v) * 0x9e3779b97f4a7c15 >> d.shift)
	for d.table[at] != 0 && d.keys[d.table[at]-1] != v {
		at = (at + 1) & (len(d.table) - 1)
	}
	return at
}

// add puts a new value at its place and says where that is.
func (d *longDict) add(v int64, at int) int {
	d.keys = append(d.keys, v)
	d.table[at] = int32(len(d.keys))
	if 2*len(d.keys) <= len(d.table) {
		return at
	}
	d.table, d.shift = emptyTable(d.table, 4*len(d.table))
	for i, k := range d.keys {
		d.table[d.find(k)] = int32(i + 1)
	}
	return d.find(v)
}

// textDict is the same for texts; keys lie where the values do.
type textDict struct {
	keys   [][]byte
	hashes []uint64
	table  []int32
	shift  int
}

func (d *textDict) reset() {
	clear(d.keys) // they point into a batch
	d.keys, d.hashes = d.keys[:0], d.hashes[:0]
	d.table, d.shift = emptyTable(d.table, firstTable)
}

// index is longDict.index; places says where each value lies: two of one place are the same without a look at them.
func (d *textDict) index(dst []int32, values [][]byte, places []uint64, most int) ([]int32, bool) {
	d.reset()
	var last []byte
	place, number := uint64(0), int32(-1)
	for i, v := range values {
		if number >= 0 && places[i] == place {
			dst = append(dst, number)
			continue
		}
		if place = places[i]; number < 0 || !bytes.Equal(v, last) {
			h := xxh3.Hash(v)
			at := d.find(v, h)
			if d.table[at] == 0 {
				if len(d.keys) == most {
					return dst, false
				}
				at = d.add(v, h, at)
			}
			last, number = v, d.table[at]-1
		}
		dst = append(dst, number)
	}
	return dst, true
}

func (d *textDict) find(v []byte, hash uint64) int {
	at := int(hash >> d.shift)
	for d.table[at] != 0 && !bytes.Equal(d.keys[d.table[at]-1], v) {
		at = (at + 1) & (len(d.table) - 1)
	}
	return at
}

func (d *textDict) add(v []byte, hash uint64, at int) int {
	d.keys, d.hashes = append(d.keys, v), append(d.hashes, hash)
	d.table[at] = int32(len(d.keys))
	if 2*len(d.keys) <= len(d.table) {
		return at
	}
	d.table, d.shift = emptyTable(d.table, 4*len(d.table))
	for i, k := range d.keys {
		d.table[d.find(k, d.hashes[i])] = int32(i + 1)
	}
	return d.find(v, hash)
}
