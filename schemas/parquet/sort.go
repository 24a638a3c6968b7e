package parquet

import (
	"cmp"
	"slices"

	"github.com/coldstream/coldstream/schemas"
)

// sorter puts rows into the order of a row group: those without a channel first, then by channel, event id and where
// they came from.
//
// A comparison of rows wherever they lie would cost two misses of the cache, twenty times a row. There are few channels
// beside rows, and within one the log is in order but for some: so rows are dealt out by channel, and a channel's rows
// are touched only where they are out of order.
type sorter struct {
	channels longDict
	number   []int32 // by row, of its channel; 0: none
	rank     []int32 // by number, the order of channels
	start    []int32 // by rank, where its rows begin
	keys     []sortKey
	order    []int32
	ids      []int64
}

type sortKey struct {
	event int64
	ref   schemas.Ref
}

// sort reorders rows.
func (s *sorter) sort(batches []*schemas.Batch, rows []schemas.Ref) {
	s.deal(batches, rows)
	s.keys = slices.Grow(s.keys[:0], len(rows))[:len(rows)]
	for i, r := range rows {
		at := &s.start[s.rank[s.number[i]]]
		s.keys[*at] = sortKey{batches[r.Batch].EventID[r.Row], r}
		*at++
	}
	begin := int32(0)
	for _, end := range s.start[:len(s.rank)] { // each has moved to where the next began
		sortRun(batches, s.keys[begin:end])
		begin = end
	}
	for i := range s.keys {
		rows[i] = s.keys[i].ref
	}
}

// deal numbers and ranks the channels, and counts where the rows of each begin.
func (s *sorter) deal(batches []*schemas.Batch, rows []schemas.Ref) {
	s.number = slices.Grow(s.number[:0], len(rows))[:len(rows)]
	s.ids = s.ids[:0]
	for _, r := range rows {
		if b := batches[r.Batch]; b.Fields[r.Row].Has(schemas.FieldChannel) {
			s.ids = append(s.ids, b.ChannelID[r.Row])
		}
	}
	s.order, _ = s.channels.index(s.order[:0], s.ids, len(s.ids))
	dealt := 0
	for i, r := range rows {
		s.number[i] = 0
		if batches[r.Batch].Fields[r.Row].Has(schemas.FieldChannel) {
			s.number[i] = s.order[dealt] + 1
			dealt++
		}
	}
	n := len(s.channels.keys)
	byID := slices.Grow(s.order[:0], n)[:n]
	for i := range byID {
		byID[i] = int32(i)
	}
	slices.SortFunc(byID, func(a, b int32) int { return cmp.Compare(s.channels.keys[a], s.channels.keys[b]) })
	s.rank = slices.Grow(s.rank[:0], n+1)[:n+1]
	s.rank[0] = 0
	for rank, number := range byID {
		s.rank[number+1] = int32(rank) + 1
	}
	s.start = slices.Grow(s.start[:0], n+2)[:n+2]
	clear(s.start)
	for _, number := range s.number {
		s.start[s.rank[number]+1]++
	}
	for i := 1; i < len(s.start); i++ {
		s.start[i] += s.start[i-1]
	}
}

// maxShifts bounds what insertion may move, in keys for each key, before a run is sorted in another way.
const maxShifts = 4

// sortRun sorts the rows of one channel.
func sortRun(batches []*schemas.Batch, keys []sortKey) {
	shifts := maxShifts * len(keys)
	for i := 1; i < len(keys); i++ {
		if compare(batches, &keys[i-1], &keys[i]) <= 0 {
			continue
		}
		k, j := keys[i], i
		for ; j > 0 && compare(batches, &keys[j-1], &k) > 0; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
		if shifts -= i - j; shifts < 0 {
			slices.SortFunc(keys, func(a, b sortKey) int { return compare(batches, &a, &b) })
			return
		}
	}
}

// compare orders two rows of one channel.
func compare(batches []*schemas.Batch, x, y *sortKey) int {
	if x.event != y.event {
		return cmp.Compare(x.event, y.event)
	}
	a, b := batches[x.ref.Batch], batches[y.ref.Batch]
	i, j := x.ref.Row, y.ref.Row
	return cmp.Or(cmp.Compare(a.Partition[i], b.Partition[j]), cmp.Compare(a.Offset[i], b.Offset[j]))
}
