package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pageIndex is the two indexes of one column chunk: where its pages lie, and their bounds unless the column has none
// (user text). The format is that of https://github.com/apache/parquet-format (PageIndex.md).
type pageIndex struct {
	places []format.PageLocation
	column format.ColumnIndex
}

func (p *pageIndex) add(c *column, begin, end int64, row, nulls int, b bounds) {
	p.places = append(p.places, format.PageLocation{Offset: begin, CompressedPageSize: int32(end - begin), FirstRowIndex: int64(row)})
	if !c.bounds {
		return
	}
	i := &p.column
	i.NullPages, i.NullCounts = append(i.NullPages, !b.has), append(i.NullCounts, int64(nulls))
	least, greatest := []byte{}, []byte{}
	if b.has {
		least, greatest = b.encode(c)
	}
	i.MinValues, i.MaxValues = append(i.MinValues, least), append(i.MaxValues, greatest)
	n := len(i.MinValues) - 1
	if n == 0 {
		i.BoundaryOrder = format.Ascending
	} else if i.BoundaryOrder == format.Ascending && !(b.has && !i.NullPages[n-1] && c.ordered(i, n)) {
		i.BoundaryOrder = format.Unordered
	}
}

// ordered reports whether the bounds of page n are none below those of the page before.
func (c *column) ordered(i *format.ColumnIndex, n int) bool {
	return c.compare(i.MinValues[n-1], i.MinValues[n]) <= 0 && c.compare(i.MaxValues[n-1], i.MaxValues[n]) <= 0
}

// compare orders two bounds as the column's values are ordered.
func (c *column) compare(a, b []byte) int {
	if c.kind == kindText {
		return bytes.Compare(a, b)
	}
	return cmp.Compare(c.decodePlain(a), c.decodePlain(b))
}

// decodePlain reads a number as appendPlain has written it.
func (c *column) decodePlain(p []byte) int64 {
	if c.kind == kindInt {
		return int64(int32(binary.LittleEndian.Uint32(p)))
	}
	return int64(binary.LittleEndian.Uint64(p))
}

// indexes appends the column indexes, then the offset indexes, and says in the footer's structures where they are. Where
// no row group has more than one page a column, they say nothing that the row group's own statistics do not, and cost a
// sixth of a file of sparse windows: such a file has none, nor what engines use beside indexes only.
func (w *Writer) indexes() error {
	if w.onePage() {
		for g := range w.groups {
			for i := range w.groups[g].Columns {
				w.groups[g].Columns[i].MetaData.EncodingStats = nil
			}
		}
		return nil
	}
	protocol := new(thrift.CompactProtocol)
	put := func(v any) (at int64, n int32, err error) {
		doc, err := thrift.Marshal(protocol, v)
		at, n = int64(len(w.out)), int32(len(doc))
		w.out = append(w.out, doc...)
		return at, n, err
	}
	for g := range w.groups {
		for i := range w.groups[g].Columns {
			if !columns[i].bounds {
				continue
			}
			c := &w.groups[g].Columns[i]
			var err error
			if c.ColumnIndexOffset, c.ColumnIndexLength, err = put(&w.pages[g][i].column); err != nil {
				return err
			}
		}
	}
	for g := range w.groups {
		for i := range w.groups[g].Columns {
			c := &w.groups[g].Columns[i]
			var err error
			if c.OffsetIndexOffset, c.OffsetIndexLength, err = put(&format.OffsetIndex{PageLocations: w.pages[g][i].places}); err != nil {
				return err
			}
		}
	}
	return nil
}

// onePage reports whether every row group is one page a column.
func (w *Writer) onePage() bool {
	for _, c := range w.chunks {
		if c.Rows > pageRows {
			return false
		}
	}
	return true
}
