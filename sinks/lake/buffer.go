package lake

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// rowBytes is about what a row takes in a batch beside its text.
const rowBytes = 200

// refBytes is what naming a row takes, with what slices grow ahead.
const refBytes = 10

// sourceKey names a source partition of this membership.
type sourceKey struct {
	topicID   string
	partition int32
}

func keyOf(s schemas.Source) sourceKey { return sourceKey{s.TopicID, s.Partition} }

// keepRows is the least number of rows for which a batch is kept as it came rather than copied: a smaller one would take
// more memory in all than its rows do.
const keepRows = 1024

// smallBytes is the size from which copied rows go to another batch: growing one batch without end would copy it again
// and again.
const smallBytes = 16 << 20

// buffer is everything held for one checkpoint.
type buffer struct {
	batches []*schemas.Batch // rows are named by their place here
	small   int              // place of the batch that rows of small batches are copied to; -1: none yet
	days    map[schemas.Day]*day
	ranges  map[sourceKey]schemas.Range
	idle    map[sourceKey]schemas.Range // sources that stood still when last heard of; told along with others
	dead    []schemas.DeadLetter

	opened    time.Time // when the first range came
	firstDead time.Time
	rows      int
	bytes     int
	policy    int64 // the lowest that any row went through

	last    schemas.Window // of the row added last, and its rows: most rows are of the same as the one before
	lastWin *window
}

// day is which rows are of which window.
type day struct {
	windows map[schemas.Window]*window
}

type window struct {
	rows  []schemas.Ref
	bytes int
}

func newBuffer(policy int64) *buffer {
	return &buffer{small: -1, days: map[schemas.Day]*day{}, ranges: map[sourceKey]schemas.Range{}, idle: map[sourceKey]schemas.Range{}, policy: policy}
}

func (u *buffer) empty() bool { return len(u.ranges) == 0 }

// add takes the next range of a source. It keeps the batch or copies its rows.
func (u *buffer) add(b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter, now time.Time) error {
	if u.empty() {
		u.opened = now
	}
	if err := u.cover(r); err != nil {
		return err
	}
	u.addRows(b)
	if b.Len() > 0 {
		u.policy = min(u.policy, int64(b.Policy))
	}
	if len(dead) > 0 && len(u.dead) == 0 {
		u.firstDead = now
	}
	for i := range dead {
		u.bytes += len(dead[i].Value) + len(dead[i].Key) + rowBytes
	}
	u.dead = append(u.dead, dead...)
	return nil
}

// cover extends what the buffer covers of a source. A gap between two ranges would be rows lost, so it is refused.
func (u *buffer) cover(r schemas.Range) error {
	key := keyOf(r.Source)
	old, ok := u.ranges[key]
	if !ok {
		u.ranges[key] = r
		return nil
	}
	if old.Next != r.From {
		return fmt.Errorf("%s: range [%d, %d) after [%d, %d)", r.Source, r.From, r.Next, old.From, old.Next)
	}
	old.Next = r.Next
	old.Events += r.Events
	old.Repeats += r.Repeats
	old.Dead += r.Dead
	old.CompleteMs = max(old.CompleteMs, r.CompleteMs)
	u.ranges[key] = old
	return nil
}

// addRows takes the rows of a batch.
func (u *buffer) addRows(b *schemas.Batch) {
	n := b.Len()
	if n == 0 {
		return
	}
	if n >= keepRows && 3*b.Used() >= b.Footprint() {
		b.Keep()
		u.batches = append(u.batches, b)
		u.bytes += b.Footprint()
		u.assign(b, len(u.batches)-1, 0, b.Used()/n)
		return
	}
	if u.small < 0 || u.batches[u.small].Used() >= smallBytes || u.batches[u.small].Full() {
		u.small = len(u.batches)
		u.batches = append(u.batches, schemas.GetBatch())
	}
	to := u.batches[u.small]
	first, before := to.Len(), to.Used()
	for i := range n {
		to.AppendFrom(b, i)
	}
	u.bytes += to.Used() - before
	u.assign(to, u.small, first, (to.Used()-before)/n)
}

// assign notes the rows of the batch at a place, from first on, with their windows.
func (u *buffer) assign(b *schemas.Batch, place, first, bytes int) {
	for i, us := range b.Time[first:] {
		if win := schemas.WindowOf(us); win != u.last || u.lastWin == nil {
			u.last, u.lastWin = win, u.window(win)
		}
		w := u.lastWin
		w.rows = append(w.rows, schemas.Ref{Batch: int32(place), Row: int32(first + i)})
		w.bytes += bytes
	}
	u.rows += b.Len() - first
	u.bytes += (b.Len() - first) * refBytes
}

// window finds or makes a window.
func (u *buffer) window(win schemas.Window) *window {
	d := u.days[win.Day()]
	if d == nil {
		d = &day{windows: map[schemas.Window]*window{}}
		u.days[win.Day()] = d
	}
	w := d.windows[win]
	if w == nil {
		w = &window{}
		d.windows[win] = w
	}
	return w
}

// holds reports whether anything of the sources is in the buffer, and whether anything of others is.
func (u *buffer) holds(sources []schemas.Source) (any, others bool) {
	n := 0
	for _, s := range sources {
		if _, ok := u.ranges[keyOf(s)]; ok {
			n++
		}
	}
	return n > 0, n < len(u.ranges)
}

// forget drops what is known of sources that stood still.
func (u *buffer) forget(sources []schemas.Source) {
	for _, s := range sources {
		delete(u.idle, keyOf(s))
	}
}

// close gives the ranges by topic and partition. Those that stood still join them: from here on the checkpoint holds
// them like the others.
func (u *buffer) close() []schemas.Range {
	for key, still := range u.idle {
		r, ok := u.ranges[key]
		switch {
		case !ok:
			u.ranges[key] = still
		case r.Next == still.Next:
			r.CompleteMs = max(r.CompleteMs, still.CompleteMs)
			u.ranges[key] = r
		}
	}
	return slices.SortedFunc(maps.Values(u.ranges), func(a, b schemas.Range) int {
		return cmp.Or(cmp.Compare(a.TopicID, b.TopicID), cmp.Compare(a.Partition, b.Partition))
	})
}

// release gives the memory back.
func (u *buffer) release() {
	for _, b := range u.batches {
		b.Release()
	}
	u.batches, u.days, u.dead, u.lastWin = nil, nil, nil, nil
}
