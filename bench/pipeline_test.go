package bench_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
)

// patience bounds one run.
const patience = 10 * time.Minute

// BenchmarkCold reads the topic through dedup and redaction into Parquet files, until the records that name them and
// the group's offsets are committed.
func BenchmarkCold(b *testing.B) { measure(b, newCold) }

// BenchmarkHot reads the topic through redaction into ClickHouse, until the group's offsets are committed.
func BenchmarkHot(b *testing.B) { measure(b, newHot) }

// BenchmarkBoth runs the two in one process at the same time, as `coldstream run` does.
func BenchmarkBoth(b *testing.B) { measure(b, newCold, newHot) }

// run is one pipeline of one iteration, which is started by measure.
type run struct {
	group    string
	pipeline *ingest.Pipeline
	rows     int64                    // rows that its sink must have been given
	flush    func()                   // asks for what is held to be made durable; nil: it comes by itself
	stored   func(b *testing.B) int64 // bytes that it left in the lake; nil: none
}

// measure counts from the start of the pipelines until everything is durable; making and removing what they write to is
// not counted.
func measure(b *testing.B, parts ...func(b *testing.B) *run) {
	preload(b)
	var wall time.Duration
	var cpu usage
	var stored int64
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		var runs []*run
		for _, open := range parts {
			runs = append(runs, open(b))
		}
		before, start := used(b), time.Now()
		b.StartTimer()
		stop := begin(b, runs)
		for _, r := range runs {
			r.waitRead(b)
		}
		for _, r := range runs {
			r.waitDurable(b)
		}
		b.StopTimer()
		wall, cpu = wall+time.Since(start), cpu.plus(used(b).since(before))
		stop()
		for _, r := range runs {
			if r.stored != nil {
				stored += r.stored(b)
			}
		}
		b.StartTimer()
	}
	report(b, wall, cpu, stored)
}

func report(b *testing.B, wall time.Duration, cpu usage, stored int64) {
	n := float64(b.N) * float64(stream.Records)
	b.ReportMetric(n/wall.Seconds(), "events/s")
	b.ReportMetric(n/cpu.self.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(cpu.self.Nanoseconds())/n, "cpu-ns/event")
	b.ReportMetric(float64(cpu.servers.Nanoseconds())/n, "server-cpu-ns/event")
	b.ReportMetric(float64(stream.Bytes)/float64(stream.Records), "topic-B/event")
	if stored > 0 {
		b.ReportMetric(float64(stored)/n, "lake-B/event")
	}
}

// begin starts the pipelines; stop ends them and fails the benchmark if one ended with an error.
func begin(b *testing.B, runs []*run) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, len(runs))
	for _, r := range runs {
		go func() { ended <- r.pipeline.Run(ctx) }()
	}
	return func() {
		cancel()
		for range runs {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
		}
	}
}

// waitRead waits until the pipeline has read every record, and then asks for its flush.
func (r *run) waitRead(b *testing.B) {
	b.Helper()
	testkit.Eventually(b, patience, func() error {
		if n := r.pipeline.Stats().Records; n < stream.Records {
			return fmt.Errorf("group %s: %d of %d records", r.group, n, stream.Records)
		}
		return nil
	})
	if r.flush != nil {
		r.flush()
	}
}

// waitDurable waits until the group's offsets are at the end of the topic.
func (r *run) waitDurable(b *testing.B) {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(testkit.Kafka(b)))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	testkit.Eventually(b, patience, func() error {
		ends, err := admin.ListCommittedOffsets(b.Context(), stream.topic)
		if err != nil {
			return err
		}
		at, err := admin.FetchOffsets(b.Context(), r.group)
		if err != nil {
			return err
		}
		var behind error
		ends.Each(func(end kadm.ListedOffset) {
			if o, ok := at.Lookup(end.Topic, end.Partition); end.Offset > 0 && (!ok || o.At < end.Offset) {
				behind = fmt.Errorf("group %s: partition %d is at %d of %d", r.group, end.Partition, o.At, end.Offset)
			}
		})
		return behind
	})
	if s := r.pipeline.Stats(); s.Events != r.rows || s.Rewinds != 0 {
		b.Errorf("group %s: %d rows after %d rewinds, want %d after none", r.group, s.Events, s.Rewinds, r.rows)
	}
}
