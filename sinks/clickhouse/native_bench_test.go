package clickhouse

import (
	"bytes"
	"testing"

	"github.com/coldstream/coldstream/schemas"
)

// BenchmarkEncode turns columns of creations of about 150 bytes of text into a block in the Native format.
func BenchmarkEncode(b *testing.B) {
	const rows = 10_000
	batch := schemas.GetBatch()
	batch.Append(&schemas.Row{
		Type: schemas.TypeCreated, Fields: schemas.FieldChannel | schemas.FieldMessage | schemas.FieldUser | schemas.FieldContent,
		EventID: 1, ChannelID: 2, MessageID: 1, UserID: 3, Time: 1, Content: bytes.Repeat([]byte("some words "), 14),
	})
	state := newStateColumns()
	for i := range int64(rows) {
		state.addEvent(key{channel: 2, message: i}, batch, 0, nil)
	}
	var body segments
	b.ReportAllocs()
	for b.Loop() {
		body = encode(state.list, 0, state.rows())
	}
	b.SetBytes(body.size())
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/event")
	b.ReportMetric(float64(body.size())/rows, "native-B/event")
}
