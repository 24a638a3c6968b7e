package parquet

import (
	"slices"

	"github.com/coldstream/coldstream/schemas"
)

// Sort puts rows of b into the order of a row group: rows without a channel first, then by channel, event id and where
// they came from.
func Sort(b *schemas.Batch, rows []int32) {
	slices.SortFunc(rows, func(x, y int32) int {
		switch {
		case !b.Fields[x].Has(schemas.FieldChannel) || !b.Fields[y].Has(schemas.FieldChannel):
			if has := b.Fields[x].Has(schemas.FieldChannel); has != b.Fields[y].Has(schemas.FieldChannel) {
				if has {
					return 1
				}
				return -1
			}
		case b.ChannelID[x] != b.ChannelID[y]:
			return less(b.ChannelID[x] < b.ChannelID[y])
		}
		switch {
		case b.EventID[x] != b.EventID[y]:
			return less(b.EventID[x] < b.EventID[y])
		case b.Partition[x] != b.Partition[y]:
			return int(b.Partition[x]) - int(b.Partition[y])
		}
		return int(b.Offset[x] - b.Offset[y])
	})
}

func less(is bool) int {
	if is {
		return -1
	}
	return 1
}
