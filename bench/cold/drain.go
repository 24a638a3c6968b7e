package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/lake"
)

// result is one drained backlog.
type result struct {
	records     int64
	wall        time.Duration
	used        bench.Usage
	rows, bytes int64 // in the table
	files       int
	checkpoints int64
	again       string // how long it took to remember, started again
}

// drainAll measures the backlog as often as was asked.
func drainAll(ctx context.Context, o options) error {
	t, err := bench.OpenTopics(o.kafka)
	if err != nil {
		return err
	}
	defer t.Close()
	topic, made, err := t.Backlog(ctx, o.events)
	if err != nil {
		return err
	}
	ends, err := t.Ends(ctx, topic)
	if err != nil {
		return err
	}
	if bench.Sum(ends) != made.Records {
		return fmt.Errorf("topic %s has %d records and was filled with %d: delete it, and start again", topic, bench.Sum(ends), made.Records)
	}
	describe(ctx, o, made, ends)
	for range o.runs {
		for _, settings := range append([]bench.Settings{nil}, o.against...) {
			one := o
			one.settings = slices.Concat(o.settings, settings)
			r, err := drain(ctx, one, t, topic, made, ends)
			if err != nil {
				return err
			}
			if len(settings) > 0 {
				fmt.Printf("%s: ", settings.String())
			}
			r.print()
		}
	}
	return nil
}

func drain(ctx context.Context, o options, t *bench.Topics, topic string, made bench.Contents, ends []int64) (r result, err error) {
	w, err := prepare(ctx, o, topic, o.s3.Endpoint)
	if err != nil {
		return r, err
	}
	defer w.Clean(context.WithoutCancel(ctx), t)
	if err := w.Start(ctx); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	if r, err = w.finish(ctx, made, ends); err != nil || !o.rebuild {
		return r, err
	}
	r.again, err = w.rebuild(ctx, ends)
	return r, err
}

// finish waits until all is read, asks for what is held to be made durable, and waits until the table has it.
func (w *worker) finish(ctx context.Context, made bench.Contents, ends []int64) (r result, err error) {
	err = w.Await(ctx, 100*time.Millisecond, func() (bool, error) {
		s, err := w.Status(ctx)
		return err == nil && s.Counters["cold.records"] >= bench.Sum(ends), nil // it may be starting still
	})
	if err != nil {
		return r, err
	}
	if err := w.Checkpoint(ctx); err != nil {
		return r, err
	}
	var v *lake.Version
	err = w.Await(ctx, 50*time.Millisecond, func() (bool, error) {
		if v, err = w.table.Load(ctx); err != nil {
			return false, err
		}
		var at int64
		for _, s := range v.Position.Sources {
			at += s.Next
		}
		return at >= bench.Sum(ends), nil
	})
	if err != nil {
		return r, err
	}
	r.records, r.wall = made.Records, time.Since(w.Began)
	if r.used, err = w.Usage(); err != nil {
		return r, err
	}
	s, err := w.Status(ctx)
	if err != nil {
		return r, err
	}
	r.checkpoints = s.Counters["cold.checkpoints"]
	files, err := v.Files(ctx, lake.Filter{})
	if err != nil {
		return r, err
	}
	r.files = len(files)
	for _, f := range files {
		r.rows, r.bytes = r.rows+f.Rows, r.bytes+f.Size
	}
	want := made.Events
	if slices.Contains(w.o.settings, "dedup.window=0") {
		want += made.Repeats
	}
	if r.rows != want || s.Counters["cold.rewinds"] != 0 {
		return r, fmt.Errorf("the table has %d rows after %d rewinds, want %d after none", r.rows, s.Counters["cold.rewinds"], want)
	}
	return r, nil
}

// describe says what the figures depend on.
func describe(ctx context.Context, o options, made bench.Contents, ends []int64) {
	version, _ := exec.CommandContext(ctx, o.binary, "version").Output() //nolint:gosec // the user's own program
	fmt.Printf("on: %s, %d cores, %s/%s\n", bench.Processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("program: %s\n", strings.Join(strings.Fields(string(version)), " "))
	fmt.Printf("backlog: %d records, %.0f bytes each, lz4; by partition %v; %d events, %d repeats, %d to be refused\n",
		made.Records, float64(made.Bytes)/float64(made.Records), ends, made.Events, made.Repeats, made.Dead)
	if len(o.settings) > 0 {
		fmt.Printf("settings: %s\n", o.settings.String())
	}
}

func (r *result) print() {
	n, cpu := float64(r.records), r.used.CPU()
	fmt.Printf("%.0f events/s (%.1f s)  %.0f events/cpu-s (%.0f ns, %.0f of them system)  peak %d MB  %.1f bytes/row  %d files, %d checkpoints\n",
		n/r.wall.Seconds(), r.wall.Seconds(), n/cpu.Seconds(), float64(cpu.Nanoseconds())/n, float64(r.used.System.Nanoseconds())/n,
		r.used.Peak>>20, float64(r.bytes)/float64(r.rows), r.files, r.checkpoints)
	if r.again != "" {
		fmt.Println(r.again)
	}
}
