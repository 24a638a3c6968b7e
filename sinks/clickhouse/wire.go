package clickhouse

import (
	"encoding/binary"
	"io"
	"slices"
	"unsafe"
)

// column is a column, or an element of a tuple, kept as ClickHouse's Native layout has it: what is sent is its own memory,
// and no copy is made of a block to send it.
type column interface {
	rows() int
	// wire is the bytes of rows [from, to), valid until the column changes.
	wire(from, to int) []byte
	size() int // in bytes
	reset()
	// pick takes rows, in ascending order, of a column of the same kind.
	pick(from column, rows []int32)
	// room makes room for so many bytes, so that a new block does not grow by copying.
	room(bytes int)
}

// numbers is a column of numbers of fixed width: little-endian, one after the other.
type numbers[T int8 | uint8 | uint32 | int64 | uint64] []T

// littleEndian is what the machine is; where it is not, wire copies.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func (c *numbers[T]) add(v T)   { *c = append(*c, v) }
func (c *numbers[T]) rows() int { return len(*c) }
func (c *numbers[T]) size() int { return len(*c) * int(unsafe.Sizeof(*new(T))) }
func (c *numbers[T]) reset()    { *c = (*c)[:0] }

func (c *numbers[T]) pick(from column, rows []int32) {
	src := *from.(*numbers[T])
	*c = slices.Grow((*c)[:0], len(rows))
	for _, r := range rows {
		*c = append(*c, src[r])
	}
}

func (c *numbers[T]) room(bytes int) { *c = slices.Grow(*c, bytes/int(unsafe.Sizeof(*new(T)))) }

func (c *numbers[T]) wire(from, to int) []byte {
	some := (*c)[from:to]
	if len(some) == 0 {
		return nil
	}
	if !littleEndian {
		out, err := binary.Append(nil, binary.LittleEndian, some)
		if err != nil {
			panic(err) // numbers of fixed width only
		}
		return out
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(some))), len(some)*int(unsafe.Sizeof(some[0])))
}

// texts is a column of type String: each text after its length as a varint.
type texts struct {
	buf []byte
	n   int
}

func (c *texts) add(text []byte) {
	c.buf = append(binary.AppendUvarint(c.buf, uint64(len(text))), text...)
	c.n++
}

func (c *texts) rows() int { return c.n }
func (c *texts) size() int { return len(c.buf) }
func (c *texts) reset()    { c.buf, c.n = c.buf[:0], 0 }

func (c *texts) pick(from column, rows []int32) {
	src, at, row := from.(*texts).buf, 0, 0
	c.reset()
	for _, r := range rows {
		at += skip(src[at:], int(r)-row)
		end := at + skip(src[at:], 1)
		c.buf = append(c.buf, src[at:end]...)
		at, row = end, int(r)+1
	}
	c.n = len(rows)
}

func (c *texts) room(bytes int) { c.buf = slices.Grow(c.buf, bytes) }

// wire of all rows is the whole; of some, which is asked for when a block is split, it looks for where they begin.
func (c *texts) wire(from, to int) []byte {
	if from == 0 && to == c.n {
		return c.buf
	}
	start := skip(c.buf, from)
	return c.buf[start : start+skip(c.buf[start:], to-from)]
}

// skip is how many bytes n texts take.
func skip(buf []byte, n int) (at int) {
	for range n {
		length, width := binary.Uvarint(buf[at:])
		at += width + int(length)
	}
	return at
}

// segments is a request's body in pieces.
type segments [][]byte

func (s segments) size() (n int64) {
	for _, p := range s {
		n += int64(len(p))
	}
	return n
}

// reader reads it once; each attempt at an insert takes a new one.
func (s segments) reader() io.Reader { return &segmentReader{rest: slices.Clone(s)} }

// segmentReader fills what it is given, across pieces, so that the small ones between columns cost no write of their own.
type segmentReader struct{ rest segments }

// Read implements io.Reader.
func (r *segmentReader) Read(p []byte) (n int, err error) {
	for n < len(p) && len(r.rest) > 0 {
		m := copy(p[n:], r.rest[0])
		n += m
		if r.rest[0] = r.rest[0][m:]; len(r.rest[0]) == 0 {
			r.rest = r.rest[1:]
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
