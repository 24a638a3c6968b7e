package compact_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/coldstream/coldstream/jobs/compact"
)

// A day of one small file a window becomes one file with the same rows, each window one chunk.
func TestADayBecomesOneFile(t *testing.T) {
	w := newWorld(t)
	all := every(time.Minute, 600) // 120 windows
	for i := 0; i < len(all); i += 20 {
		w.archive(1, all[i:i+20]...)
	}
	tomorrow := row{at: day.AddDate(0, 0, 1), n: 9999}
	w.archive(1, tomorrow)
	before := w.read()

	got := w.compactAll()
	if len(got) != 1 || got[0].FilesIn != 30 || got[0].FilesOut != 1 || got[0].Rows != 600 || got[0].ChunksOut != 120 || got[0].Repeats != 0 {
		t.Fatalf("%+v", got)
	}
	after := w.read()
	if len(after.files) != 2 || !maps.Equal(before.rows, after.rows) {
		t.Errorf("%d files, rows equal: %v", len(after.files), maps.Equal(before.rows, after.rows))
	}
	after.one(t)
	if got[0].BytesOut >= got[0].BytesIn {
		t.Errorf("%d bytes became %d", got[0].BytesIn, got[0].BytesOut)
	}
	if again := w.compactAll(); len(again) != 0 {
		t.Errorf("compacted again: %+v", again)
	}
	w.archive(1, row{at: day.Add(time.Hour), n: 10_000}) // late
	if late := w.compactAll(); len(late) != 1 || late[0].FilesIn != 2 || late[0].FilesOut != 1 || late[0].Rows != 601 {
		t.Errorf("after a late event: %+v", late)
	}
	after = w.read()
	after.one(t)
}

// Of rows of one event the lowest source, partition and offset stays, wherever in the day and under whatever policy they stand.
func TestRepeatsAreRemovedAndListed(t *testing.T) {
	w := newWorld(t)
	at := day.Add(3 * time.Hour)
	a, b := row{at: at, n: 1, content: "a"}, row{at: at, n: 2, content: "b"}
	opaque := row{at: at, ref: "msg_1", content: "c"}
	elsewhere := a
	elsewhere.partition = 1
	w.archive(1, elsewhere, b)      // 1/0 repeats 0/1, which comes later; 0/0 is b
	w.archive(1, a, opaque)         // 0/1, 0/2
	w.archive(2, b, opaque)         // 0/3 repeats 0/0, 0/4 repeats 0/2
	w.archive(1, row{at: at, n: 3}) // 0/5
	w.archive(2, row{at: at, n: 3}) // 0/6 repeats 0/5
	moved := row{at: at.Add(6 * time.Hour), ref: "msg_1", content: "c"}
	w.archive(1, moved) // 0/7: its time makes it another event, as for dedup and verify
	got := w.compactAll()
	if len(got) != 1 || got[0].Repeats != 4 || got[0].Rows != 5 {
		t.Fatalf("%+v", got)
	}
	l := w.listing(&got[0])
	text := ""
	for _, r := range l.Removed {
		text += fmt.Sprintf("%d/%d by %d/%d; ", r.Partition, r.Offset, r.Kept.Partition, r.Kept.Offset)
	}
	if want := "1/0 by 0/1; 0/3 by 0/0; 0/6 by 0/5; 0/4 by 0/2; "; sorted(text) != sorted(want) {
		t.Errorf("removed %s\nwant %s", text, want)
	}
	if len(l.Inputs) != 6 || l.RowsIn != 9 || l.RowsOut != 5 {
		t.Errorf("%+v", l)
	}
	s := w.read()
	s.one(t)
	for id, n := range s.ids {
		if n != 1 {
			t.Errorf("event %d stands %d times", id, n)
		}
	}
}

// Rows of different policies do not share a file, because its footer says which one they went through.
func TestPoliciesStayApart(t *testing.T) {
	w := newWorld(t)
	all := every(time.Minute, 40)
	for i, policy := range []int64{1, 2, 1, 2} {
		w.archive(policy, all[10*i:10*i+10]...)
	}
	before := w.read()
	if got := w.compactAll(); len(got) != 1 || got[0].FilesOut != 2 {
		t.Fatalf("%+v", got)
	}
	after := w.read()
	after.one(t)
	if !maps.Equal(before.rows, after.rows) {
		t.Error("the rows differ")
	}
	if again := w.compactAll(); len(again) != 0 {
		t.Errorf("compacted again: %+v", again)
	}
}

// With little memory the ids are gone through in several passes, a window becomes more than one chunk, and the files
// are small; the rows are the same.
func TestLittleMemory(t *testing.T) {
	w := newWorld(t)
	all := every(20*time.Second, 3000)
	for i := range all {
		all[i].content = fmt.Sprintf("%0400d", i)
	}
	for i := 0; i < len(all); i += 300 {
		w.archive(1, all[i:i+300]...)
	}
	w.archive(1, all[5], all[2900])
	before := w.read()
	got := w.compactAll(func(c *compact.Config) { c.Memory, c.FileBytes = 16<<10, 10<<10 })
	if len(got) != 1 || got[0].Repeats != 2 || got[0].FilesOut < 5 || got[0].Rows != 3000 {
		t.Fatalf("%+v", got)
	}
	after := w.read()
	if len(after.rows) != 3000 || len(before.rows) != 3002 {
		t.Errorf("%d rows of %d", len(after.rows), len(before.rows))
	}
	for key := range after.rows {
		if before.rows[key] != 1 {
			t.Error("a row that was not there:", key)
		}
	}
}

// A file of an older release does not say where its rows come from: what is made of it says nothing rather than a part.
func TestFootersOfOlderReleases(t *testing.T) {
	w := newWorld(t)
	all := every(time.Minute, 20)
	w.silent = true
	w.archive(1, all[:10]...)
	w.silent = false
	w.archive(1, all[10:]...)
	if got := w.compactAll(); len(got) != 1 || got[0].FilesOut != 1 {
		t.Fatalf("%+v", got)
	}
	w.silent = true
	if got := w.read(); len(got.rows) != 20 {
		t.Errorf("%d rows", len(got.rows))
	}
}
