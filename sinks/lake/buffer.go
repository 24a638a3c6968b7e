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

// sourceKey names a source partition of this membership.
type sourceKey struct {
	topicID   string
	partition int32
}

func keyOf(s schemas.Source) sourceKey { return sourceKey{s.TopicID, s.Partition} }

// buffer is everything held for one checkpoint.
type buffer struct {
	days   map[schemas.Day]*day
	ranges map[sourceKey]schemas.Range
	idle   map[sourceKey]schemas.Range // sources that stood still when last heard of; told along with others
	dead   []schemas.DeadLetter

	opened    time.Time // when the first range came
	firstDead time.Time
	rows      int
	bytes     int
	policy    int64 // the lowest that any row went through
}

// day is the rows of one day, and which of them are of which window.
type day struct {
	batch   *schemas.Batch
	windows map[schemas.Window]*window
}

type window struct {
	rows  []int32
	bytes int
}

func newBuffer(policy int64) *buffer {
	return &buffer{days: map[schemas.Day]*day{}, ranges: map[sourceKey]schemas.Range{}, idle: map[sourceKey]schemas.Range{}, policy: policy}
}

func (u *buffer) empty() bool { return len(u.ranges) == 0 }

// add takes the next range of a source. It copies the rows.
func (u *buffer) add(b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter, now time.Time) error {
	if u.empty() {
		u.opened = now
	}
	if err := u.cover(r); err != nil {
		return err
	}
	for i := range b.Time {
		u.addRow(b, i)
	}
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

func (u *buffer) addRow(b *schemas.Batch, i int) {
	win := schemas.WindowOf(b.Time[i])
	d := u.days[win.Day()]
	if d == nil {
		d = &day{batch: schemas.GetBatch(), windows: map[schemas.Window]*window{}}
		u.days[win.Day()] = d
	}
	w := d.windows[win]
	if w == nil {
		w = &window{}
		d.windows[win] = w
	}
	before := d.batch.TextBytes()
	w.rows = append(w.rows, int32(d.batch.Len()))
	d.batch.AppendFrom(b, i)
	n := d.batch.TextBytes() - before + rowBytes
	w.bytes += n
	u.bytes += n
	u.rows++
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
	for _, d := range u.days {
		d.batch.Release()
	}
	u.days, u.dead = nil, nil
}
