package parquet

import (
	"encoding/binary"
	"slices"
)

// ChunkBytes is about the memory that the rows of a chunk take once they are read: their uncompressed size in the file
// and what a batch adds to each row.
func (f *Reader) ChunkBytes(c Chunk) int64 {
	const rowBytes = 300
	n := c.Rows * rowBytes
	groups := f.file.Metadata().RowGroups
	for g := c.RowGroup; g < c.RowGroup+c.RowGroups && g < len(groups); g++ {
		n += groups[g].TotalByteSize
	}
	return n
}

// CompressedBytes is what the columns of a chunk take in the file.
func (f *Reader) CompressedBytes(c Chunk) (n int64) {
	groups := f.file.Metadata().RowGroups
	for g := c.RowGroup; g < c.RowGroup+c.RowGroups && g < len(groups); g++ {
		n += groups[g].TotalCompressedSize
	}
	return n
}

// Unknown names the columns of the file that this release does not know, by their field ids: reading gives rows without
// them, so whoever would write the rows again must not.
func (f *Reader) Unknown() []string {
	var names []string
	for _, c := range f.file.Root().Columns() {
		if !slices.ContainsFunc(columns, func(k column) bool { return k.id == c.ID() }) {
			names = append(names, c.Name())
		}
	}
	return names
}

// Stats gives what manifests say of the columns, from the statistics in the footer, and where each row group begins.
func (f *Reader) Stats() (stats []Stats, splits []int64) {
	stats = newStats()
	open := make([]bool, len(columns)) // some row group does not tell its bounds
	for _, g := range f.file.Metadata().RowGroups {
		for i := range columns {
			s := &stats[i]
			if f.places[i] < 0 {
				s.Values, s.Nulls = s.Values+g.NumRows, s.Nulls+g.NumRows
				continue
			}
			m := &g.Columns[f.places[i]].MetaData
			s.Values, s.Nulls, s.Bytes = s.Values+m.NumValues, s.Nulls+m.Statistics.NullCount, s.Bytes+m.TotalCompressedSize
			if m.NumValues > m.Statistics.NullCount && !s.widen(m.Statistics.MinValue, m.Statistics.MaxValue) {
				open[i] = true
			}
		}
		first := g.Columns[0].MetaData
		at := first.DataPageOffset
		if first.DictionaryPageOffset > 0 {
			at = min(at, first.DictionaryPageOffset)
		}
		splits = append(splits, at)
	}
	for i := range stats {
		stats[i].HasBounds = stats[i].HasBounds && !open[i] && columns[i].bounds
	}
	return stats, splits
}

// widen takes in the bounds of a row group, as Parquet's plain encoding writes them; false if there are none.
func (s *Stats) widen(low, high []byte) bool {
	if s.IsText {
		if len(high) == 0 {
			return false
		}
		if !s.HasBounds {
			s.MinText, s.MaxText = string(low), string(high)
		}
		s.MinText, s.MaxText, s.HasBounds = min(s.MinText, string(low)), max(s.MaxText, string(high)), true
		return true
	}
	a, ok := plainNumber(low)
	b, also := plainNumber(high)
	if !ok || !also {
		return false
	}
	if !s.HasBounds {
		s.Min, s.Max = a, b
	}
	s.Min, s.Max, s.HasBounds = min(s.Min, a), max(s.Max, b), true
	return true
}

func plainNumber(b []byte) (int64, bool) {
	switch len(b) {
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}
