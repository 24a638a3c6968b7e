package schemas_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
)

func fill(n int) *schemas.Batch {
	b := schemas.GetBatch()
	for i := range n {
		text := []byte(fmt.Sprint("text ", i))
		b.Append(&schemas.Row{
			EventID: int64(i), EventHash: uint64(i), MessageID: int64(i), Type: schemas.TypeEdited, Fields: schemas.FieldMessage,
			TypeName: []byte("message.edited"), Content: text, EventRef: text, Offset: int64(i), Partition: int32(i),
		})
	}
	return b
}

func check(t *testing.T, b *schemas.Batch, want ...int64) {
	t.Helper()
	if b.Len() != len(want) {
		t.Fatalf("%d rows, want %d", b.Len(), len(want))
	}
	for i, id := range want {
		if b.EventID[i] != id || b.Offset[i] != id || b.Partition[i] != int32(id) || b.EventHash[i] != uint64(id) ||
			b.String(b.Content[i]) != fmt.Sprint("text ", id) {
			t.Fatalf("row %d is not the one of event %d", i, id)
		}
	}
}

func TestBatchCompactsTruncatesAndPermutesAllColumnsAlike(t *testing.T) {
	b := fill(6)
	defer b.Release()
	b.Drop(1)
	b.Drop(4)
	b.Drop(4)
	if n := b.Compact(); n != 2 {
		t.Fatalf("%d rows removed", n)
	}
	check(t, b, 0, 2, 3, 5)
	b.Permute([]int32{3, 0, 2, 1})
	check(t, b, 5, 0, 3, 2)
	b.Drop(2)
	b.Truncate(2)
	if n := b.Compact(); n != 0 {
		t.Fatalf("a mark beyond the end removed %d rows", n)
	}
	check(t, b, 5, 0)
}

func TestBatchCopiesRows(t *testing.T) {
	from, to := fill(3), schemas.GetBatch()
	defer to.Release()
	to.AppendFrom(from, 2)
	from.Release()
	check(t, to, 2)
}

func TestRowsWithoutAPlaceNeedResolution(t *testing.T) {
	b := fill(1)
	defer b.Release()
	if !b.NeedsResolution(0) {
		t.Fatal("an edit without a channel should need it")
	}
	b.Fields[0] |= schemas.FieldChannel
	if b.NeedsResolution(0) {
		t.Fatal("an edit with channel and message should not")
	}
}

// Whatever is dropped, what stays is what stays when rows are looked at one by one.
func TestCompactKeepsTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drops := rapid.SliceOfN(rapid.Bool(), 0, 40).Draw(t, "drops")
		n := len(drops) + rapid.IntRange(0, 3).Draw(t, "rows behind the last mark")
		b := fill(n)
		defer b.Release()
		var want []int64
		for i := range n {
			if i < len(drops) && drops[i] {
				b.Drop(i)
			} else {
				want = append(want, b.EventID[i])
			}
		}
		if removed := b.Compact(); removed != n-len(want) || !slices.Equal(b.EventID, want) {
			t.Fatalf("%d removed, %v left, want %v", removed, b.EventID, want)
		}
	})
}

// A batch that somebody keeps is not given to another by whoever lent it.
func TestReserveAndKeep(t *testing.T) {
	b := fill(3)
	b.Reserve(1000, 5000)
	before := b.Footprint()
	for i := range 1000 {
		b.Append(&schemas.Row{EventID: int64(i), Content: []byte("five.")})
	}
	if b.Footprint() != before || b.Used() > before || b.Len() != 1003 {
		t.Errorf("footprint %d grew to %d for %d rows", before, b.Footprint(), b.Len())
	}
	if b.Kept() {
		t.Error("kept before anybody did")
	}
	if b.Keep(); !b.Kept() {
		t.Error("not kept")
	}
	b.Release()
	if b.Kept() {
		t.Error("kept when back in the pool")
	}
}
