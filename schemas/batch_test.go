package schemas_test

import (
	"fmt"
	"testing"

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
