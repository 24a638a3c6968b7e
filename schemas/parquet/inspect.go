package parquet

import "slices"

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
