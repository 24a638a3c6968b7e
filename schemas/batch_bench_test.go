package schemas_test

import (
	"bytes"
	"testing"

	"github.com/coldstream/coldstream/schemas"
)

// benchRows is how many rows a batch of the benchmarks has.
const benchRows = 4096

// chat appends events of a usual size to b.
func chat(b *schemas.Batch) {
	content := bytes.Repeat([]byte("some words "), 13)
	for i := range int64(benchRows) {
		at := 1_700_000_000_000 + i
		r := schemas.Row{
			EventID: schemas.DiscordEpoch.ID(at, uint64(i)), GuildID: 7, ChannelID: i % 200, UserID: i % 5000, Type: schemas.TypeCreated,
			Fields: schemas.FieldGuild | schemas.FieldChannel | schemas.FieldMessage | schemas.FieldUser | schemas.FieldContent,
			Time:   at * 1000, TypeName: []byte("message.created"), Content: content, UserName: []byte("marta"), Offset: i, KafkaTime: at * 1000,
		}
		r.MessageID = r.EventID
		b.Append(&r)
	}
}

// perEvent reports the time of a row instead of a batch's.
func perEvent(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/event")
}

func BenchmarkAppend(b *testing.B) {
	batch := schemas.GetBatch()
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		chat(batch)
	}
	perEvent(b)
}

func BenchmarkAppendFrom(b *testing.B) {
	from, to := schemas.GetBatch(), schemas.GetBatch()
	chat(from)
	b.ReportAllocs()
	for b.Loop() {
		to.Reset()
		for i := range benchRows {
			to.AppendFrom(from, i)
		}
	}
	perEvent(b)
}

// BenchmarkCompact drops one row in a hundred, as repeats are dropped. It counts copying the batch to drop from.
func BenchmarkCompact(b *testing.B) {
	from, to := schemas.GetBatch(), schemas.GetBatch()
	chat(from)
	b.ReportAllocs()
	for b.Loop() {
		to.Reset()
		for i := range benchRows {
			to.AppendFrom(from, i)
		}
		for i := 50; i < benchRows; i += 100 {
			to.Drop(i)
		}
		if to.Compact() != 41 {
			b.Fatal("41 rows should go")
		}
	}
	perEvent(b)
}

// BenchmarkGrow fills one batch from nothing to the size of a checkpoint's buffer.
func BenchmarkGrow(b *testing.B) {
	from := schemas.GetBatch()
	chat(from)
	const rounds = 64
	b.ReportAllocs()
	for b.Loop() {
		var to schemas.Batch
		for range rounds {
			for i := range benchRows {
				to.AppendFrom(from, i)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows*rounds), "ns/event")
}
