package schemas

import "slices"

// Drop marks row i for removal by Compact.
func (b *Batch) Drop(i int) {
	if b.drop == nil {
		b.drop = make([]bool, 0, b.Len())
	}
	for len(b.drop) < b.Len() {
		b.drop = append(b.drop, false)
	}
	if !b.drop[i] {
		b.drop[i] = true
		b.drops++
	}
}

// Dropped reports whether row i is marked.
func (b *Batch) Dropped(i int) bool { return i < len(b.drop) && b.drop[i] }

// Compact removes the marked rows, keeps the order of the others, and returns how many it removed. The arena keeps
// their text until Reset.
func (b *Batch) Compact() int {
	n := b.drops
	if n > 0 {
		b.routes = compact(b.routes, b.drop)
		b.apply(compactor{b.drop})
		b.drop, b.drops = b.drop[:0], 0
	}
	return n
}

// Truncate keeps the first n rows.
func (b *Batch) Truncate(n int) {
	b.apply(truncator{n})
	b.routes = b.routes[:min(n, len(b.routes))]
	if len(b.drop) > n {
		b.drop = b.drop[:n]
	}
	b.drops = 0
	for _, d := range b.drop {
		if d {
			b.drops++
		}
	}
}

// Reserve makes room for rows more, and for text bytes of theirs: growing step by step would copy what is there.
func (b *Batch) Reserve(rows, text int) {
	if cap(b.EventID)-len(b.EventID) < rows {
		b.apply(grower{rows})
	}
	b.arena = slices.Grow(b.arena, text)
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.apply(truncator{0})
	clear(b.names[:])
	b.arena, b.drop, b.drops, b.Policy, b.kept = b.arena[:0], b.drop[:0], 0, 0, false
	clear(b.refused)
	b.refused, b.routes, b.routeTo = b.refused[:0], b.routes[:0], b.routeTo[:0]
}

// Permute reorders the rows: row i becomes what row order[i] was. order is a permutation of 0…Len-1.
func (b *Batch) Permute(order []int32) { b.apply(permuter{order}) }

// column is one change made to every column alike.
type column interface {
	int64s([]int64) []int64
	uint64s([]uint64) []uint64
	int32s([]int32) []int32
	texts([]Text) []Text
	types([]Type) []Type
	fields([]Fields) []Fields
}

func (b *Batch) apply(c column) {
	for _, p := range []*[]int64{&b.EventID, &b.GuildID, &b.ChannelID, &b.MessageID, &b.UserID, &b.Time, &b.Offset, &b.KafkaTime} {
		*p = c.int64s(*p)
	}
	for _, p := range []*[]uint64{&b.EventHash, &b.MessageHash} {
		*p = c.uint64s(*p)
	}
	for _, p := range []*[]int32{&b.Redactions, &b.Source, &b.Partition} {
		*p = c.int32s(*p)
	}
	for _, p := range []*[]Text{
		&b.TypeName, &b.Content, &b.Extra, &b.EventRef, &b.MessageRef, &b.ChannelRef, &b.GuildRef, &b.UserRef,
		&b.GuildName, &b.ChannelName, &b.UserName,
	} {
		*p = c.texts(*p)
	}
	b.Type, b.Fields = c.types(b.Type), c.fields(b.Fields)
}

type truncator struct{ n int }

func (t truncator) int64s(s []int64) []int64    { return s[:t.n] }
func (t truncator) uint64s(s []uint64) []uint64 { return s[:t.n] }
func (t truncator) int32s(s []int32) []int32    { return s[:t.n] }
func (t truncator) texts(s []Text) []Text       { return s[:t.n] }
func (t truncator) types(s []Type) []Type       { return s[:t.n] }
func (t truncator) fields(s []Fields) []Fields  { return s[:t.n] }

type grower struct{ n int }

func (g grower) int64s(s []int64) []int64    { return slices.Grow(s, g.n) }
func (g grower) uint64s(s []uint64) []uint64 { return slices.Grow(s, g.n) }
func (g grower) int32s(s []int32) []int32    { return slices.Grow(s, g.n) }
func (g grower) texts(s []Text) []Text       { return slices.Grow(s, g.n) }
func (g grower) types(s []Type) []Type       { return slices.Grow(s, g.n) }
func (g grower) fields(s []Fields) []Fields  { return slices.Grow(s, g.n) }

type compactor struct{ drop []bool }

func (c compactor) int64s(s []int64) []int64    { return compact(s, c.drop) }
func (c compactor) uint64s(s []uint64) []uint64 { return compact(s, c.drop) }
func (c compactor) int32s(s []int32) []int32    { return compact(s, c.drop) }
func (c compactor) texts(s []Text) []Text       { return compact(s, c.drop) }
func (c compactor) types(s []Type) []Type       { return compact(s, c.drop) }
func (c compactor) fields(s []Fields) []Fields  { return compact(s, c.drop) }

// compact moves what is kept in runs: few rows are dropped, and what stands between two is one move of memory.
func compact[T any](s []T, drop []bool) []T {
	n := 0
	for i := 0; i < len(s); {
		end := i + keptRun(drop[min(i, len(drop)):], len(s)-i)
		if n != i {
			copy(s[n:], s[i:end])
		}
		n += end - i
		for i = end; i < len(drop) && drop[i]; i++ {
		}
	}
	return s[:n]
}

// keptRun is how many rows are kept before the first of drop, which says nothing of those beyond it.
func keptRun(drop []bool, rows int) int {
	if i := slices.Index(drop, true); i >= 0 {
		return i
	}
	return rows
}

type permuter struct{ order []int32 }

func (p permuter) int64s(s []int64) []int64    { return permute(s, p.order) }
func (p permuter) uint64s(s []uint64) []uint64 { return permute(s, p.order) }
func (p permuter) int32s(s []int32) []int32    { return permute(s, p.order) }
func (p permuter) texts(s []Text) []Text       { return permute(s, p.order) }
func (p permuter) types(s []Type) []Type       { return permute(s, p.order) }
func (p permuter) fields(s []Fields) []Fields  { return permute(s, p.order) }

func permute[T any](s []T, order []int32) []T {
	old := slices.Clone(s)
	for i, o := range order {
		s[i] = old[o]
	}
	return s
}
