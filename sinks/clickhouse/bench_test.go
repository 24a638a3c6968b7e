package clickhouse_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// generated is a batch of creations of about 150 bytes of text, in 1,000 channels.
func generated(n int, first int64) *schemas.Batch {
	b := schemas.GetBatch()
	content := []byte(strings.Repeat("some words of a chat ", 7))
	now := time.Now().UnixMilli()
	for i := range n {
		at := now - 3_600_000 + (first+int64(i))/1000
		r := schemas.Row{
			Type: schemas.TypeCreated, TypeName: []byte("message.created"), Fields: schemas.FieldChannel | schemas.FieldMessage | schemas.FieldUser | schemas.FieldContent | schemas.FieldGuild,
			EventID: schemas.DiscordEpoch.ID(at, uint64(first)+uint64(i)), ChannelID: (first + int64(i)) * 7919 % 1000, GuildID: 7, UserID: int64(i % 5000),
			Time: at * 1000, KafkaTime: now * 1000, Content: content,
		}
		r.MessageID = r.EventID
		b.Append(&r)
	}
	return b
}

// swallow acknowledges every insert.
type swallow struct{}

func (swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// BenchmarkSink is events a second through the sink: into the engine, and into nothing, which is the worker's own share.
func BenchmarkSink(b *testing.B) {
	const batch = 10_000
	for name, transport := range map[string]http.RoundTripper{"engine": nil, "worker": swallow{}} {
		b.Run(name, func(b *testing.B) {
			h := newHot(b, transport, func(c *clickhouse.Config) { c.MaxAge = 250 * time.Millisecond })
			var batches []*schemas.Batch
			for i := range 20 {
				batches = append(batches, generated(batch, int64(i)*batch))
			}
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				if h.sink.Pressure() {
					h.relieve()
				}
				h.writeBatch(batches[n/batch%len(batches)])
			}
			h.flush()
			b.ReportMetric(float64(h.next)/b.Elapsed().Seconds(), "events/s")
			b.SetBytes(320)
		})
	}
}
