// Command standstill stops ClickHouse for a while under a steady load, with the archive at work beside it, and says what became
// of the worker's memory, of the lag, and how long it took to catch up. `coldstream verify` then compares topic, lake and hot store.
//
//	make standstill ARGS='-for 10m -rate 2000'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/embedded/clickhouse"
)

type options struct {
	stop, before, patience time.Duration
	rate                   int
	binary, kafka, s3      string
	parts                  string
}

func main() {
	clickhouse.ChildMain()
	var o options
	flag.DurationVar(&o.stop, "for", 10*time.Minute, "how long ClickHouse stands still")
	flag.DurationVar(&o.before, "before", 20*time.Second, "how long everything runs before")
	flag.DurationVar(&o.patience, "patience", 40*time.Minute, "give up after this long")
	flag.IntVar(&o.rate, "rate", 2000, "events a second, all the while")
	flag.StringVar(&o.binary, "binary", "bin/coldstream", "the program")
	flag.StringVar(&o.kafka, "kafka", os.Getenv("COLDSTREAM_TEST_KAFKA"), "broker, host:port")
	flag.StringVar(&o.s3, "s3", os.Getenv("COLDSTREAM_TEST_S3"), "object store: host:port,access key,secret key")
	flag.StringVar(&o.parts, "parts", "hot,cold,committer,resolver", "what the worker runs; verify needs the archive")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "standstill:", err)
		os.Exit(1) //nolint:gocritic // nothing that is deferred matters any more
	}
}

// trial is a worker, its engine, and what is seen of them.
type trial struct {
	options
	topics *bench.Topics
	engine *clickhouse.Server
	worker *bench.Worker
	began  time.Time
}

func run(ctx context.Context, o options) error {
	parts := strings.Split(o.s3, ",")
	if o.kafka == "" || len(parts) != 3 {
		return errors.New("it needs a broker and a store: `make standstill` starts both")
	}
	dir, err := os.MkdirTemp("", "coldstream-standstill-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const user, password, topic, bucket = "coldstream", "standstill", "standstill-events", "standstill"
	t := &trial{options: o, began: time.Now()}
	t.engine, err = clickhouse.Start(ctx, clickhouse.Config{
		Dir: dir, Addr: "127.0.0.1:0", User: user, Password: password,
		S3:  &clickhouse.S3Access{Endpoint: "http://" + parts[0], AccessKey: parts[1], SecretKey: parts[2], Bucket: bucket},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer t.engine.Close()
	if t.topics, err = bench.OpenTopics(o.kafka); err != nil {
		return err
	}
	defer t.topics.Close()
	t.worker, err = bench.PrepareWorker(ctx, bench.WorkerConfig{
		Binary: o.binary, Parts: o.parts, Kafka: o.kafka, Topic: topic,
		S3:         &bench.S3{Endpoint: parts[0], AccessKey: parts[1], SecretKey: parts[2]},
		ClickHouse: map[string]string{"addr": t.engine.Addr(), "user": user, "password": password, "database": "coldstream"},
		Settings:   bench.Settings{"cold.checkpoint=30s", "s3.bucket=" + bucket},
	})
	if err != nil {
		return err
	}
	if err := t.worker.Start(ctx); err != nil {
		return err
	}
	defer t.worker.Clean(context.WithoutCancel(ctx), t.topics)
	defer func() { _ = t.worker.Stop() }()
	return t.play(ctx)
}

func (t *trial) play(ctx context.Context) error {
	load := t.worker.Command(ctx, "generate", "--events", "0", "--rate", fmt.Sprint(t.rate))
	if err := load.Start(); err != nil {
		return err
	}
	defer func() { _ = load.Process.Kill(); _ = load.Wait() }()
	if _, err := t.watch(ctx, "before", t.before, nil); err != nil {
		return err
	}
	if err := syscall.Kill(t.engine.PID(), syscall.SIGSTOP); err != nil {
		return err
	}
	lag, err := t.watch(ctx, "standing still", t.stop, nil)
	if again := syscall.Kill(t.engine.PID(), syscall.SIGCONT); err != nil || again != nil {
		return errors.Join(err, again)
	}
	from := time.Now()
	if _, err := t.watch(ctx, "catching up", t.patience, func(lag int64) bool { return lag < int64(t.rate)*2 }); err != nil {
		return err
	}
	took := time.Since(from)
	fmt.Printf("caught up with %d records in %s, under the same load\n", lag, took.Round(100*time.Millisecond))
	if err := load.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	_ = load.Wait() // interrupted, as it was asked to be
	if !strings.Contains(t.parts, "cold") {
		return nil
	}
	verify := t.worker.Command(ctx, "verify", "--wait", "5m")
	verify.Stdout, verify.Stderr = os.Stdout, os.Stderr
	return verify.Run()
}

// watch prints what it sees now and then, for as long as told or until done, and returns the last lag of the hot pipeline.
func (t *trial) watch(ctx context.Context, phase string, long time.Duration, done func(lag int64) bool) (lag int64, err error) {
	end, next := time.Now().Add(long), time.Now()
	for time.Now().Before(end) {
		lags, err := t.topics.Admin.Lag(ctx, t.worker.Name+"-hot", t.worker.Name+"-cold")
		if err != nil { // a broker that has just begun
			time.Sleep(time.Second)
			continue
		}
		lag = lags[t.worker.Name+"-hot"].Lag.Total()
		if time.Now().After(next) {
			next = time.Now().Add(max(10*time.Second, long/12))
			use, err := t.worker.Usage()
			if err != nil {
				return 0, err
			}
			fmt.Printf("%6.0f s  %-15s resident %4d MB, peak %4d MB, lag hot %8d, cold %7d records\n", time.Since(t.began).Seconds(), phase,
				use.Resident>>20, use.Peak>>20, lag, lags[t.worker.Name+"-cold"].Lag.Total())
		}
		if done != nil && done(lag) {
			return lag, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Second / 2):
		}
	}
	if done != nil {
		return lag, fmt.Errorf("%s: not within %s, %d records to go", phase, long, lag)
	}
	return lag, nil
}
