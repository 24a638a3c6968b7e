package verify

import (
	"context"
	"fmt"

	"github.com/coldstream/coldstream/schemas"
)

// lake compares the table's rows with the records that they say they come from.
func (v *run) lake(ctx context.Context) error {
	if v.cfg.Lake == nil {
		return nil
	}
	from := map[int32]int64{}
	next := map[int32]int64{}
	for _, s := range v.result.Range {
		from[s.Partition], next[s.Partition] = s.From, s.Next
	}
	var done, gone int64
	err := v.cfg.Lake.Rows(ctx, func(b *schemas.Batch, policy int64) error {
		for i := range b.Len() {
			if b.Offset[i] >= next[b.Partition[i]] {
				continue // newer than the range
			}
			v.row(b, i, policy, b.Offset[i] >= from[b.Partition[i]])
		}
		done += int64(b.Len())
		v.cfg.Progress("lake", done, v.result.Topic.Records)
		return nil
	}, func(file string, rows int64) {
		gone += rows
		v.result.example("lake: the table names the file %s of %d rows, and it is not there", file, rows)
	})
	if err != nil {
		return fmt.Errorf("lake: %w", err)
	}
	v.missing()
	r := &v.result.Lake
	r.Missing = max(r.Missing, gone) // rows from before the range are missing too, when their file is
	if r.Files, r.Bytes, r.UnreferencedFiles, err = v.cfg.Lake.Files(ctx); err != nil {
		return fmt.Errorf("lake: %w", err)
	}
	return nil
}

// row judges one row. A row from before the range, or from a topic that this one took the place of, counts for its event,
// if that is sent again in range.
func (v *run) row(b *schemas.Batch, i int, policy int64, inRange bool) {
	if !inRange {
		if e, ok := v.log.byKey[eventKey{b.EventID[i], b.EventHash[i]}]; ok {
			v.log.events[e].rows++
		}
		return
	}
	p := v.log.find(b.Partition[i], b.Offset[i])
	if p != nil && p.event == nowhere && policy != v.cfg.Policy {
		return // another policy kept it
	}
	if p == nil || p.event == nowhere {
		v.result.Lake.Extra++
		v.result.example("lake: a row says it comes from partition %d offset %d, where the topic has no event that the policy lets through", b.Partition[i], b.Offset[i])
		return
	}
	if p.rows++; p.rows > 1 {
		if p.rows == 2 {
			v.result.Lake.Duplicated++
		}
		v.result.example("lake: the record of partition %d offset %d is stored %d times", b.Partition[i], b.Offset[i], p.rows)
		return
	}
	e := &v.log.events[p.event]
	if facts(b, i) != p.facts || policy == v.cfg.Policy && changed(b, i) != p.content {
		e.altered = true
		v.result.example("lake: the row of partition %d offset %d (event %s) differs from the topic's event", b.Partition[i], b.Offset[i], b.Event(i).EventID)
		return
	}
	if e.rows++; e.rows > 1 {
		v.result.Lake.Repeats++
	}
}

// missing counts the events that the table should have and has not.
func (v *run) missing() {
	r := &v.result.Lake
	var absent int64
	for i := range v.log.events {
		e := &v.log.events[i]
		switch {
		case e.rows > 0:
			r.Events++
		case e.altered:
			r.Altered++
			r.Missing++
		case e.expected && !e.excused:
			r.Missing++
			absent++
		}
	}
	if absent > 0 {
		v.nameAbsent()
	}
}

// wanted says that an event should be in the table and no row of it is.
func (e *event) wanted() bool { return e.expected && !e.excused && e.rows == 0 && !e.altered }

// nameAbsent finds a few records whose event is not in the table.
func (v *run) nameAbsent() {
	for partition, ps := range v.log.places {
		for _, p := range ps {
			if p.event != nowhere && v.log.events[p.event].wanted() {
				v.result.example("lake: the event of partition %d offset %d is not in the table", partition, p.offset)
				if len(v.result.Examples) >= maxExamples {
					return
				}
			}
		}
	}
}
