package schemas_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/schemas"
)

func hashed() *schemas.Batch {
	b := schemas.GetBatch()
	for i := range int64(4) {
		b.Append(&schemas.Row{EventID: i, Fields: schemas.FieldChannel, ChannelID: 7, Content: []byte{'a' + byte(i)}, Extra: []byte("x"), Offset: i})
	}
	return b
}

func TestSumIsOfTheRowsAndNotOfTheirOrder(t *testing.T) {
	b := hashed()
	defer b.Release()
	var h schemas.RowHasher
	var forward, backward schemas.Sum
	for i := range b.Len() {
		forward.Add(h.Row(b, i))
		backward.Add(h.Row(b, b.Len()-1-i))
	}
	require.Equal(t, forward, backward)
	backward.Sub(h.Row(b, 2))
	require.NotEqual(t, forward, backward)
	backward.Add(h.Row(b, 2))
	require.Equal(t, forward, backward)
	backward.Add(h.Row(b, 2)) // a row that stands twice counts twice
	require.NotEqual(t, forward, backward)
}

// Every column counts, and texts do not run into one another.
func TestRowHashSeesEveryColumn(t *testing.T) {
	var h schemas.RowHasher
	b := hashed()
	defer b.Release()
	was := h.Row(b, 0)
	changes := map[string]func(b *schemas.Batch){
		"event id": func(b *schemas.Batch) { b.EventID[0]++ }, "guild": func(b *schemas.Batch) { b.GuildID[0]++ },
		"channel": func(b *schemas.Batch) { b.ChannelID[0]++ }, "message": func(b *schemas.Batch) { b.MessageID[0]++ },
		"user": func(b *schemas.Batch) { b.UserID[0]++ }, "time": func(b *schemas.Batch) { b.Time[0]++ },
		"redactions": func(b *schemas.Batch) { b.Redactions[0]++ }, "source": func(b *schemas.Batch) { b.Source[0]++ },
		"partition": func(b *schemas.Batch) { b.Partition[0]++ }, "offset": func(b *schemas.Batch) { b.Offset[0]++ },
		"kafka time": func(b *schemas.Batch) { b.KafkaTime[0]++ }, "null": func(b *schemas.Batch) { b.Fields[0] |= schemas.FieldContent },
		"shifted text": func(b *schemas.Batch) { b.Content[0], b.Extra[0] = b.AddText([]byte("ax")), schemas.Text{} },
	}
	for name, text := range map[string]func(*schemas.Batch) *schemas.Text{
		"type": func(b *schemas.Batch) *schemas.Text { return &b.TypeName[0] }, "content": func(b *schemas.Batch) *schemas.Text { return &b.Content[0] },
		"extra": func(b *schemas.Batch) *schemas.Text { return &b.Extra[0] }, "event ref": func(b *schemas.Batch) *schemas.Text { return &b.EventRef[0] },
		"message ref": func(b *schemas.Batch) *schemas.Text { return &b.MessageRef[0] }, "channel ref": func(b *schemas.Batch) *schemas.Text { return &b.ChannelRef[0] },
		"guild ref": func(b *schemas.Batch) *schemas.Text { return &b.GuildRef[0] }, "user ref": func(b *schemas.Batch) *schemas.Text { return &b.UserRef[0] },
		"guild name": func(b *schemas.Batch) *schemas.Text { return &b.GuildName[0] }, "channel name": func(b *schemas.Batch) *schemas.Text { return &b.ChannelName[0] },
		"user name": func(b *schemas.Batch) *schemas.Text { return &b.UserName[0] },
	} {
		changes[name] = func(b *schemas.Batch) { *text(b) = b.AddText([]byte("other")) }
	}
	for name, change := range changes {
		b := hashed()
		change(b)
		require.NotEqual(t, was, h.Row(b, 0), name)
		b.Release()
	}
}
