package parquet

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coldstream/coldstream/schemas"
)

// Rows of several batches come into the order that a comparison of their values gives, whether they are nearly in order,
// out of it, equal, or without a channel.
func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		var batches []*schemas.Batch
		var rows []schemas.Ref
		offset, disorder := int64(0), []int{0, 3, 1000}[n%3]
		for place := range 1 + r.IntN(4) {
			b := new(schemas.Batch)
			for row := range r.IntN(600) {
				offset++
				e := schemas.Row{EventID: offset/2 + int64(r.IntN(disorder+1)), ChannelID: int64(r.IntN(1+n)) - 2, Partition: int32(place), Offset: offset}
				if r.IntN(8) > 0 {
					e.Fields = schemas.FieldChannel
				}
				b.Append(&e)
				rows = append(rows, schemas.Ref{Batch: int32(place), Row: int32(row)})
			}
			batches = append(batches, b)
		}
		want := slices.Clone(rows)
		slices.SortFunc(want, func(x, y schemas.Ref) int {
			a, b := batches[x.Batch], batches[y.Batch]
			has := func(b *schemas.Batch, i int32) int { return int(b.Fields[i] & schemas.FieldChannel) }
			channel := 0
			if has(a, x.Row) != 0 && has(b, y.Row) != 0 {
				channel = cmp.Compare(a.ChannelID[x.Row], b.ChannelID[y.Row])
			}
			return cmp.Or(cmp.Compare(has(a, x.Row), has(b, y.Row)), channel, cmp.Compare(a.EventID[x.Row], b.EventID[y.Row]),
				cmp.Compare(a.Partition[x.Row], b.Partition[y.Row]), cmp.Compare(a.Offset[x.Row], b.Offset[y.Row]))
		})
		new(sorter).sort(batches, rows)
		if !slices.Equal(rows, want) {
			t.Fatalf("run %d: %d rows out of order", n, len(rows))
		}
	}
}
