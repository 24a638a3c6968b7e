package parquet

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/format"

	"github.com/coldstream/coldstream/schemas"
)

// writeGroup adds a row group: the columns one after the other, then their Bloom filters.
func (w *Writer) writeGroup(from []*schemas.Batch, rows []schemas.Ref) error {
	e := w.enc
	e.fields = slices.Grow(e.fields[:0], len(rows))[:len(rows)]
	for i, r := range rows {
		e.fields[i] = from[r.Batch].Fields[r.Row]
	}
	g := format.RowGroup{
		NumRows: int64(len(rows)), FileOffset: int64(len(w.out)), Ordinal: int16(len(w.groups)),
		Columns: make([]format.ColumnChunk, len(columns)), SortingColumns: sortingColumns,
	}
	pages := make([]pageIndex, len(columns))
	filters := make([]bloom.SplitBlockFilter, len(columns))
	for i := range columns {
		c := &columns[i]
		e.gather(c, from, rows)
		col := chunkWriter{column: c, enc: e, out: w.out, pages: &pages[i], rows: len(rows)}
		if err := col.write(!w.sparse); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		w.out = col.out
		g.Columns[i].MetaData = col.meta
		g.TotalByteSize += col.meta.TotalUncompressedSize
		g.TotalCompressedSize += col.meta.TotalCompressedSize
		w.stats[i].add(&col)
		if c.bloom {
			filters[i] = e.bloomFilter(len(e.index) > 0)
		}
	}
	for i, f := range filters {
		if len(f) > 0 {
			g.Columns[i].MetaData.BloomFilterOffset = int64(len(w.out))
			if err := w.writeBloom(f); err != nil {
				return err
			}
			g.Columns[i].MetaData.BloomFilterLength = int32(int64(len(w.out)) - g.Columns[i].MetaData.BloomFilterOffset)
		}
	}
	w.groups, w.pages = append(w.groups, g), append(w.pages, pages)
	return nil
}

// sortingColumns is what Sort does.
var sortingColumns = []format.SortingColumn{{ColumnIdx: 3, NullsFirst: true}, {ColumnIdx: 0}}

// bloomFilter makes the filter of the column gathered last: of the dictionary's values if it has one.
func (e *encoder) bloomFilter(dictionary bool) bloom.SplitBlockFilter {
	values := e.longs
	if dictionary {
		values = e.longDict.keys
	}
	if len(values) == 0 {
		return nil
	}
	e.hashes = slices.Grow(e.hashes[:0], len(values))[:len(values)]
	for i, v := range values {
		e.hashes[i] = xxhash.Sum64Uint64(uint64(v))
	}
	f := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(int64(len(values)), bloomBits))
	f.InsertBulk(e.hashes)
	return f
}
