package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/coldstream/coldstream/bench"
)

// run is one drained backlog.
type run struct {
	records    int64
	wall       time.Duration
	worker     bench.Usage
	clickhouse bench.Usage // from the worker's start until its last offset was committed
	settled    bench.Usage // the same until no merge ran any more
	settles    bool
	blocks     int64
	before     parts // when the last offset was committed
	after      parts // with its merges settled
}

// backlog is a topic and what it holds.
type backlog struct {
	topics *bench.Topics
	topic  string
	made   bench.Contents
	ends   []int64
}

func openBacklog(ctx context.Context, o options) (b backlog, err error) {
	if b.topics, err = bench.OpenTopics(o.kafka); err != nil {
		return b, err
	}
	if b.topic, b.made, err = b.topics.Backlog(ctx, o.events); err != nil {
		return b, err
	}
	if b.ends, err = b.topics.Ends(ctx, b.topic); err != nil {
		return b, err
	}
	if bench.Sum(b.ends) != b.made.Records {
		return b, fmt.Errorf("topic %s has %d records and was filled with %d: delete it, and start again", b.topic, bench.Sum(b.ends), b.made.Records)
	}
	return b, nil
}

// drained reports whether a group's offsets stand at the end of the topic.
func (b *backlog) drained(ctx context.Context, group string) (bool, error) {
	at, err := b.topics.Admin.FetchOffsets(ctx, group)
	if kerr.IsRetriable(err) { // the broker makes its topic of offsets
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("offsets of %s: %w", group, err)
	}
	for p, end := range b.ends {
		if o, ok := at.Lookup(b.topic, int32(p)); end > 0 && (!ok || o.At < end) {
			return false, nil
		}
	}
	return true, nil
}

// drainAll measures the backlog as often as was asked.
func drainAll(ctx context.Context, o options) error {
	b, err := openBacklog(ctx, o)
	if err != nil {
		return err
	}
	defer b.topics.Close()
	told := false
	for range o.runs {
		for _, search := range []string{"on", "off"} {
			if o.search != "both" && o.search != search {
				continue
			}
			e, err := openEngine(ctx, nil)
			if err != nil {
				return err
			}
			if !told {
				describe(ctx, o, b, e)
				told = true
			}
			r, err := drain(ctx, o, b, e, search)
			if err == nil {
				r.print("search " + search)
			}
			if err == nil && o.explain {
				err = e.explain(ctx, r.records)
			}
			e.close(o.keep)
			if err != nil {
				return err
			}
			if !o.rival {
				continue
			}
			k, err := rivalRun(ctx, o, b, search)
			if err != nil {
				return err
			}
			k.print("search " + search + ", ClickHouse's Kafka engine")
			r.compare(k)
		}
	}
	return nil
}

func drain(ctx context.Context, o options, b backlog, e *engine, search string) (r run, err error) {
	w, err := bench.PrepareWorker(ctx, bench.WorkerConfig{
		Binary: o.binary, Parts: "hot", Kafka: o.kafka, Topic: b.topic, ClickHouse: e.section(),
		Settings: append(bench.Settings{fmt.Sprintf("hot.search=%t", search == "on")}, o.settings...), CPUProfile: o.cpuprofile,
	})
	if err != nil {
		return r, err
	}
	defer w.Clean(context.WithoutCancel(ctx), b.topics)
	if err := e.table(ctx, o.server); err != nil {
		return r, err
	}
	before, err := e.usage()
	if err != nil {
		return r, err
	}
	if err := w.Start(ctx); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	err = w.Await(ctx, 100*time.Millisecond, func() (bool, error) { return b.drained(ctx, w.Name+"-hot") })
	if err != nil {
		return r, err
	}
	r.settles = o.settle
	return r, r.finish(ctx, w, e, b, before)
}

// finish reads what was used, and judges what stands there.
func (r *run) finish(ctx context.Context, w *bench.Worker, e *engine, b backlog, before bench.Usage) (err error) {
	r.records, r.wall = b.made.Records, time.Since(w.Began)
	if r.worker, err = w.Usage(); err != nil {
		return err
	}
	used, err := e.usage()
	if err != nil {
		return err
	}
	r.clickhouse = used.Since(before)
	s, err := w.Status(ctx)
	if err != nil {
		return err
	}
	r.blocks = s.Counters["hot.blocks"]
	if n, want := s.Counters["hot.rows"], b.made.Events+b.made.Repeats; n != want || s.Counters["hot.rewinds"] != 0 || s.Counters["hot.retries"] != 0 {
		return fmt.Errorf("%d rows were inserted, want %d; %d rewinds, %d retries, want none", n, want, s.Counters["hot.rewinds"], s.Counters["hot.retries"])
	}
	return r.judge(ctx, e, b.made, before)
}

// judge waits for the merges, measures what they took, and fails unless the state is what was made.
func (r *run) judge(ctx context.Context, e *engine, made bench.Contents, before bench.Usage) (err error) {
	if r.before, err = e.parts(ctx); err != nil {
		return err
	}
	if r.after = r.before; r.settles {
		if err := e.settle(ctx); err != nil {
			return err
		}
		used, err := e.usage()
		if err != nil {
			return err
		}
		r.settled = used.Since(before)
		if r.after, err = e.parts(ctx); err != nil {
			return err
		}
	}
	return e.check(ctx, made)
}

// describe says what the figures depend on.
func describe(ctx context.Context, o options, b backlog, e *engine) {
	version, _ := exec.CommandContext(ctx, o.binary, "version").Output() //nolint:gosec // the user's own program
	fmt.Printf("on: %s, %d cores, %s/%s, %s\n", bench.Processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, time.Now().UTC().Format(time.DateOnly))
	fmt.Printf("program: %s\nclickhouse: %s, in a process of its own\n", strings.Join(strings.Fields(string(version)), " "), e.version(ctx))
	fmt.Printf("backlog: %d records, %.0f bytes each, lz4; by partition %v; %d messages, %d edits, %d deletes, %d repeats, %d to be refused\n",
		b.made.Records, float64(b.made.Bytes)/float64(b.made.Records), b.ends, b.made.Created, b.made.Edited, b.made.Deleted, b.made.Repeats, b.made.Dead)
	if all := append(o.settings, o.server...); len(all) > 0 {
		fmt.Printf("settings: %s\n", all.String())
	}
}

// compare says how much more a CPU second does than the Kafka engine's.
func (r *run) compare(k run) {
	ours, theirs := r.worker.CPU()+r.clickhouse.CPU(), k.clickhouse.CPU()
	fmt.Printf("  a CPU second does %.2f times what it does in the Kafka engine until committed", theirs.Seconds()/ours.Seconds())
	if r.settles {
		fmt.Printf(", %.2f times with merges settled", k.settled.CPU().Seconds()/(r.worker.CPU()+r.settled.CPU()).Seconds())
	}
	fmt.Println()
}

func (r *run) print(name string) {
	n := float64(r.records)
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / n }
	rate := func(d time.Duration) float64 { return n / d.Seconds() }
	worker, both := r.worker.CPU(), r.worker.CPU()+r.clickhouse.CPU()
	fmt.Printf("%s: %.0f events/s (%.1f s)\n", name, rate(r.wall), r.wall.Seconds())
	if worker > 0 {
		fmt.Printf("  worker                  %8.0f events/cpu-s  %5.0f ns (%.0f of them system)  peak %d MB\n", rate(worker), each(worker), each(r.worker.System), r.worker.Peak>>20)
	}
	fmt.Printf("  all, until committed    %8.0f events/cpu-s  %5.0f ns, of ClickHouse %.0f (%.0f of them system)  peak of ClickHouse %d MB, %d blocks, %d parts\n",
		rate(both), each(both), each(r.clickhouse.CPU()), each(r.clickhouse.System), r.clickhouse.Peak>>20, r.blocks, r.before.Count)
	if r.settles {
		all := worker + r.settled.CPU()
		fmt.Printf("  all, merges settled     %8.0f events/cpu-s  %5.0f ns, of ClickHouse %.0f\n", rate(all), each(all), each(r.settled.CPU()))
	}
	fmt.Printf("  then %d parts, %d rows, %.1f bytes/row on disk\n", r.after.Count, r.after.Rows, float64(r.after.Bytes)/float64(max(r.after.Rows, 1)))
}
