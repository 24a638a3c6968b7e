package ingest

import "github.com/coldstream/coldstream/schemas"

// Seen is the set behind Repeats. It reports whether an event stood at one of the last N offsets before this one, and
// takes it in. It serves one partition; offsets rise.
type Seen interface {
	Seen(id int64, hash uint64, offset int64) bool
}

// Repeats is the Historian that drops events seen before within n offsets of one partition. Dropped events count as
// seen, so that the result is a function of the log alone.
func Repeats(set Seen, n int64) Historian { return &repeats{set: set, n: n} }

type repeats struct {
	set Seen
	n   int64
}

func (d *repeats) History() int64 { return d.n }

func (d *repeats) Remember(b *schemas.Batch) {
	for i := range b.EventID {
		d.set.Seen(b.EventID[i], b.EventHash[i], b.Offset[i])
	}
}

func (d *repeats) Process(b *schemas.Batch) error {
	for i := range b.EventID {
		if d.set.Seen(b.EventID[i], b.EventHash[i], b.Offset[i]) {
			b.Drop(i)
		}
	}
	return nil
}
