package verify_test

import (
	"bytes"
	"testing"
)

// Compaction keeps one row of an event: the record of a topic that this one took the place of, of before the range, or of
// another partition. Each is the event, also where it says something else.
func TestTheRowOfAnEventMayComeFromAnyOfItsRecords(t *testing.T) {
	w := newWorld()
	w.rows, w.elsewhere = []int{0, 2, 5, 6}, []int{1}
	if r := w.verify(t); !r.OK || r.Lake.Events != 5 || r.Lake.Repeats != 0 {
		t.Fatalf("%+v", r)
	}
	w = newWorld()
	w.docs[3] = bytes.Replace(w.docs[3], []byte("second"), []byte("zweite"), 1)
	w.rows, w.alter[3] = []int{0, 2, 3, 5, 6}, "zweite"
	if r := w.verify(t); !r.OK || r.Lake.Events != 5 {
		t.Fatalf("%+v", r)
	}
	w.alter[3] = "second" // the text of the other record is not what this one says
	if r := w.verify(t); r.OK || r.Lake.Altered != 1 {
		t.Fatalf("%+v", r)
	}
}
