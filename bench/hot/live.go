package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/embedded/clickhouse"
)

const (
	warmUp      = 20 * time.Second
	sampleEvery = 5 * time.Second
)

// live is a stream that is published while workers follow it.
type live struct {
	o        options
	topics   *bench.Topics
	topic    string
	engine   *engine
	worker   *bench.Worker
	producer *exec.Cmd
	prober   *prober
	cold     bool
}

// sample is where everybody stands.
type sample struct {
	at                                    time.Time
	published, hot, cold                  int64 // records: in the topic, committed by hot, read by cold
	worker, clickhouse, producer, machine time.Duration
	parts                                 parts
}

// liveAll publishes at each rate for a while, with and without the index of words.
func liveAll(ctx context.Context, o options) error {
	t, err := bench.OpenTopics(o.kafka)
	if err != nil {
		return err
	}
	defer t.Close()
	for _, rate := range o.rates {
		for _, search := range []string{"on", "off"} {
			if o.search != "both" && o.search != search {
				continue
			}
			if err := liveOne(ctx, o, t, rate, search); err != nil {
				return err
			}
		}
	}
	return nil
}

func liveOne(ctx context.Context, o options, t *bench.Topics, rate float64, search string) (err error) {
	l := &live{o: o, topics: t, topic: "bench-live-" + uuid.NewString()[:8], cold: o.parts == "all"}
	if err := t.Create(ctx, l.topic, bench.Partitions); err != nil {
		return err
	}
	defer func() { _, _ = t.Admin.DeleteTopic(context.WithoutCancel(ctx), l.topic) }()
	if err := l.prepare(ctx, search); err != nil {
		return err
	}
	defer l.engine.close(false)
	defer l.worker.Clean(context.WithoutCancel(ctx), t)
	if err := l.engine.table(ctx, o.server); err != nil {
		return err
	}
	if err := l.worker.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.worker.Stop()) }()
	err = l.worker.Await(ctx, 100*time.Millisecond, func() (bool, error) {
		_, err := l.worker.Status(ctx)
		return err == nil, nil // it may be starting still
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s, search %s, %.0f events/s, %s\n", map[bool]string{true: "hot, cold, committer and resolver", false: "hot"}[l.cold], search, rate, time.Now().UTC().Format(time.DateOnly))
	return l.measure(ctx, rate)
}

// prepare starts ClickHouse and writes the worker's configuration.
func (l *live) prepare(ctx context.Context, search string) (err error) {
	c := bench.WorkerConfig{
		Binary: l.o.binary, Parts: "hot", Kafka: l.o.kafka, Topic: l.topic, Name: "bench-" + uuid.NewString()[:8],
		Settings: append(bench.Settings{fmt.Sprintf("hot.search=%t", search == "on")}, l.o.settings...), CPUProfile: l.o.cpuprofile,
	}
	var access *clickhouse.S3Access
	if l.cold {
		c.Parts, c.S3 = "hot,cold,committer,resolver", &l.o.s3
		c.Settings = append(bench.Settings{"clickhouse.lake_keys=false"}, c.Settings...)
		access = &clickhouse.S3Access{Endpoint: "http://" + l.o.s3.Endpoint, AccessKey: l.o.s3.AccessKey, SecretKey: l.o.s3.SecretKey, Bucket: c.Name}
	}
	if l.engine, err = openEngine(ctx, access); err != nil {
		return err
	}
	c.ClickHouse = l.engine.section()
	l.worker, err = bench.PrepareWorker(ctx, c)
	if err == nil {
		l.prober, err = newProber(l.o, l.topic, l.engine.client)
	}
	if err != nil {
		l.engine.close(false)
	}
	return err
}

// measure publishes, and samples after the warm-up.
func (l *live) measure(ctx context.Context, rate float64) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.producer = l.worker.Command(ctx, "generate", "--events", "0", "--rate", fmt.Sprint(rate))
	l.producer.Cancel = func() error { return l.producer.Process.Signal(syscall.SIGINT) }
	l.producer.Stderr = io.Discard
	if err := l.producer.Start(); err != nil {
		return err
	}
	probed := make(chan struct{})
	go func() {
		defer close(probed)
		l.prober.run(ctx)
	}()
	defer func() {
		cancel()
		<-probed
		_ = l.producer.Wait() // interrupted, as it was asked to be
	}()
	if err := pause(ctx, warmUp); err != nil {
		return err
	}
	l.prober.begin()
	var all []sample
	for end := time.Now().Add(l.o.during); ; {
		s, err := l.sample(ctx)
		if err != nil {
			return err
		}
		all = append(all, s)
		fmt.Printf("  %4.0f s: %d published, lag of hot %d", s.at.Sub(all[0].at).Seconds(), s.published, s.published-s.hot)
		if l.cold {
			fmt.Printf(", of cold %d", s.published-s.cold)
		}
		fmt.Printf(", %d parts\n", s.parts.Count)
		if !time.Now().Before(end) {
			break
		}
		if err := pause(ctx, sampleEvery); err != nil {
			return err
		}
	}
	if err := l.report(ctx, all, rate); err != nil || !l.o.explain {
		return err
	}
	return l.engine.explain(ctx, all[len(all)-1].hot)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (l *live) sample(ctx context.Context) (s sample, err error) {
	status, err := l.worker.Status(ctx)
	if err != nil {
		return s, err
	}
	if len(status.Failing) > 0 || status.Counters["hot.rewinds"]+status.Counters["cold.rewinds"] > 0 {
		return s, fmt.Errorf("the worker fails: %v, %d rewinds", status.Failing, status.Counters["hot.rewinds"]+status.Counters["cold.rewinds"])
	}
	s.cold = status.Counters["cold.records"]
	at, err := l.topics.Admin.FetchOffsets(ctx, l.worker.Name+"-hot")
	if err != nil {
		return s, fmt.Errorf("offsets: %w", err)
	}
	at.KeepFunc(func(o kadm.OffsetResponse) bool { return o.Topic == l.topic })
	for _, o := range at.Sorted() {
		s.hot += max(o.At, 0)
	}
	ends, err := l.topics.Ends(ctx, l.topic)
	if err != nil {
		return s, err
	}
	s.at, s.published = time.Now(), bench.Sum(ends)
	if s.parts, err = l.engine.parts(ctx); err != nil {
		return s, err
	}
	return s, l.used(&s)
}

// used reads the CPU times.
func (l *live) used(s *sample) error {
	w, err := l.worker.Usage()
	if err != nil {
		return err
	}
	e, err := l.engine.usage()
	if err != nil {
		return err
	}
	p, err := bench.UsageOf(l.producer.Process.Pid)
	if err != nil {
		return err
	}
	s.worker, s.clickhouse, s.producer = w.CPU(), e.CPU(), p.CPU()
	s.machine, err = bench.MachineBusy()
	return err
}
