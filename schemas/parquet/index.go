package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The library writes a column index for every column. For one whose bounds are skipped it writes empty bounds, by which
// an engine would prune pages that do have the value. The index must not be there at all, and the library's reader wants
// what is left of the section without gaps: so the tail of the file (column indexes, offset indexes, footer) is written
// again. Where no row group has more than one page a column, the indexes say nothing that the row group's own statistics
// do not, and cost a sixth of a file of sparse windows: such a file has none. The format is that of https://github.com/apache/parquet-format (PageIndex.md, "File Layout").

const magic = "PAR1"

// finishFooter sets Bytes, Splits and the statistics' sizes from the library's output.
func (f *File) finishFooter(b []byte) error {
	if len(b) < 12 {
		return fmt.Errorf("a file of %d bytes has no footer", len(b))
	}
	footer := len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	var meta format.FileMetaData
	protocol := new(thrift.CompactProtocol)
	if err := thrift.Unmarshal(protocol, b[footer:len(b)-8], &meta); err != nil {
		return fmt.Errorf("read own footer: %w", err)
	}
	tail := meta.RowGroups[0].Columns[0].ColumnIndexOffset
	out := b[:tail:tail]
	f.measure(&meta)
	if f.sparse() {
		dropIndexes(&meta)
	} else {
		out = moveIndexes(out, b, &meta)
	}
	doc, err := thrift.Marshal(protocol, &meta)
	if err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	out = append(out, doc...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(doc)))
	f.Bytes = append(out, magic...)
	return nil
}

// sparse reports whether every row group is one page a column.
func (f *File) sparse() bool {
	for _, c := range f.Chunks {
		if c.Rows > pageRows {
			return false
		}
	}
	return true
}

// dropIndexes also drops what engines use beside the indexes only: page counts by encoding and histograms.
func dropIndexes(meta *format.FileMetaData) {
	for g := range meta.RowGroups {
		for i := range meta.RowGroups[g].Columns {
			c := &meta.RowGroups[g].Columns[i]
			c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
			c.MetaData.EncodingStats, c.MetaData.SizeStatistics = nil, format.SizeStatistics{}
		}
	}
}

// moveIndexes appends column indexes but those of user text, and then offset indexes.
func moveIndexes(out, b []byte, meta *format.FileMetaData) []byte {
	for g := range meta.RowGroups {
		for i := range meta.RowGroups[g].Columns {
			c := &meta.RowGroups[g].Columns[i]
			from, n := c.ColumnIndexOffset, int64(c.ColumnIndexLength)
			if !columns[i].bounds {
				c.ColumnIndexOffset, c.ColumnIndexLength = 0, 0
				continue
			}
			c.ColumnIndexOffset = int64(len(out))
			out = append(out, b[from:from+n]...)
		}
	}
	for g := range meta.RowGroups {
		for i := range meta.RowGroups[g].Columns {
			c := &meta.RowGroups[g].Columns[i]
			from := c.OffsetIndexOffset
			c.OffsetIndexOffset = int64(len(out))
			out = append(out, b[from:from+int64(c.OffsetIndexLength)]...)
		}
	}
	return out
}

func (f *File) measure(meta *format.FileMetaData) {
	for _, g := range meta.RowGroups {
		first := g.Columns[0].MetaData
		split := first.DataPageOffset
		if first.DictionaryPageOffset > 0 {
			split = min(split, first.DictionaryPageOffset)
		}
		f.Splits = append(f.Splits, split)
		for i := range g.Columns {
			f.Stats[i].Bytes += g.Columns[i].MetaData.TotalCompressedSize
		}
	}
}
