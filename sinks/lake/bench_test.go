package lake_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

// BenchmarkColdPath reads events of 320 bytes from the broker, through dedup, into Parquet on the object store and
// records in chunks. The broker runs in the same process and the CPU seconds are the whole process's, so that the
// consumer's share of them is an upper bound.
func BenchmarkColdPath(b *testing.B) {
	const events = 200_000
	values := make([][]byte, events)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		at := monday.Add(time.Duration(i) * 10 * time.Millisecond)
		id := schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(i))
		head := fmt.Sprintf(`{"event_id":"%d","type":"message.created","guild_id":"81384788765712384","channel_id":"%d","message_id":"%d","user_id":"%d","content":"`,
			id, 41771983423143937+r.IntN(200), id, 53908099506183680+r.IntN(5000))
		tail := fmt.Sprintf(`","timestamp":%q}`, at.Format(time.RFC3339Nano))
		values[i] = append([]byte(head), make([]byte, max(0, 320-len(head)-len(tail)))...)
		for k := len(head); k < len(values[i]); k++ {
			values[i][k] = "etaoin shrdlu"[r.IntN(13)]
		}
		values[i] = append(values[i], tail...)
	}
	b.ReportMetric(0, "ns/op")
	var wall, cpu time.Duration
	for b.Loop() {
		w := newWorld(b, 4)
		w.window = 1 << 16
		for i, v := range values {
			w.producer.Produce(b.Context(), &kgo.Record{Topic: w.events, Partition: int32(i % 4), Value: v}, nil)
		}
		if err := w.producer.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		start, before := time.Now(), cpuTime(b)
		k := w.start("a", slow, func(_ *ingest.Config, c *sink.Config) { c.MaxRows = 100_000 })
		testkit.Eventually(b, 2*time.Minute, func() error {
			if s := k.pipeline.Stats(); s.Events < events {
				return fmt.Errorf("%d events", s.Events)
			}
			return nil
		})
		k.stop()
		wall, cpu = wall+time.Since(start), cpu+cpuTime(b)-before
	}
	n := float64(b.N) * events
	b.ReportMetric(n/wall.Seconds(), "events/s")
	b.ReportMetric(n/cpu.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(cpu.Nanoseconds())/n, "cpu-ns/event")
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
