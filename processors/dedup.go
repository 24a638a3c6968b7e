package processors

import (
	"time"

	"github.com/coldstream/coldstream/processors/dedup"
	"github.com/coldstream/coldstream/schemas"
)

// Dedup drops a record if and only if a decodable record with the same event stands at most the window's number of
// offsets before it in the same partition. It wants that many offsets of history before it begins.
type Dedup struct {
	set   *dedup.Set
	count *counters // nil: not counted
}

// Measure counts in m what is dropped, as the stage dedup, and returns d.
func (d *Dedup) Measure(m *Meter) *Dedup {
	d.count = m.stage(StageDedup, "repeat")
	return d
}

// NewDedup makes a filter of one partition; window is in offsets. It fails when the window is more than it can hold.
func NewDedup(window int64) (*Dedup, error) {
	set, err := dedup.New(window)
	if err != nil {
		return nil, err
	}
	return &Dedup{set: set}, nil
}

// History is how many offsets before the first it wants to remember.
func (d *Dedup) History() int64 { return d.set.Window() }

// Remember takes rows from before the first, in offset order.
func (d *Dedup) Remember(b *schemas.Batch) { d.each(b, func(int) {}) }

// Process marks the repeats.
func (d *Dedup) Process(b *schemas.Batch) error {
	began, dropped := time.Now(), 0
	d.each(b, func(i int) {
		b.Drop(i)
		dropped++
	})
	d.count.add(b.Len(), dropped, 0, time.Since(began))
	return nil
}

// each feeds the rows to the set and calls repeat for each that repeats another.
func (d *Dedup) each(b *schemas.Batch, repeat func(i int)) {
	for from := 0; from < b.Len(); from += dedup.WarmRows {
		to := min(from+dedup.WarmRows, b.Len())
		d.set.Warm(b.EventID[from:to], b.EventHash[from:to], b.Offset[from:to])
		for i := from; i < to; i++ {
			if d.set.Seen(b.EventID[i], b.EventHash[i], b.Offset[i]) {
				repeat(i)
			}
		}
	}
}
