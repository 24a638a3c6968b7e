package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

const (
	sessionTimeout = 6 * time.Second // the least that a broker takes by default
	checkpoint     = 2 * time.Second
	dedupWindow    = 4096
	partitions     = 4
)

// world is one set of topics, one table and who works on them.
type world struct {
	*runner
	ctx    context.Context
	n      int
	name   string
	dir    string
	client *kgo.Client // to the broker, past the proxies
	admin  *kadm.Client
	table  *lake.Table // through the store, past the proxies

	procs    map[string]*process
	producer *producer
	watch    *watcher
	checker  checker

	compacting    sync.Mutex
	lettersBefore map[string]int // of a topic of the same name that was deleted
	chunksLost    int            // how often announced checkpoints were lost: their rows, and their dead letters, are written again
}

// world makes a world, does the faults to it and checks it.
func (r *runner) world(ctx context.Context, faults []*fault) error {
	r.worlds++
	w := &world{runner: r, ctx: ctx, n: r.worlds, name: fmt.Sprintf("w%d", r.worlds), procs: map[string]*process{}}
	w.dir = filepath.Join(r.dir, w.name)
	if err := w.open(); err != nil {
		return fmt.Errorf("world %d: %w", w.n, err)
	}
	defer w.close()
	say("world %d: %d workers, %d committers, %d events a second", w.n, len(workerSlots), len(committerSlots), r.o.rate)
	for w.producer.acked.Load() < 200 && ctx.Err() == nil {
		time.Sleep(lookEvery)
	}
	if !w.settle("at the beginning") {
		return nil
	}
	for len(faults) > 0 && ctx.Err() == nil && !r.late() && !r.spoilt() {
		n := min(r.o.round, len(faults))
		w.round(faults[:n])
		w.again(faults[:n])
		faults = faults[n:]
		w.check()
	}
	return nil
}

func (w *world) open() error {
	store, err := objects.Open(objects.Config{Endpoint: w.store, AccessKey: s3User, SecretKey: s3Password, Bucket: "chaos-" + w.name})
	if err != nil {
		return err
	}
	w.table = lake.OpenEvents(store)
	if w.client, err = kgo.NewClient(kgo.SeedBrokers(w.direct)); err != nil {
		return err
	}
	w.admin = kadm.NewClient(w.client)
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	for _, name := range append(allSlots(), "direct") {
		if err := os.WriteFile(w.config(name), []byte(w.yaml(name)), 0o644); err != nil {
			return err
		}
	}
	if _, errs, err := output(w.ctx, w.binary, nil, "init", "--config", w.config("direct"), "--pipelines", "cold,committer"); err != nil {
		return fmt.Errorf("init: %w: %s", err, errs)
	}
	if w.producer, err = startProducer(w.ctx, w.direct, w.topic("events"), w.o.rate); err != nil {
		return err
	}
	w.watch = startWatcher(w)
	for _, name := range allSlots() {
		if err := w.process(name); err != nil {
			return err
		}
	}
	for _, name := range append(append([]string{}, workerSlots...), committerSlots...) {
		w.procs[name].start()
	}
	return nil
}

func (w *world) topic(name string) string  { return w.name + "." + name }
func (w *world) config(name string) string { return filepath.Join(w.dir, name+".yaml") }
func (w *world) group(part string) string  { return w.name + "-" + part }

// yaml is the configuration of one process.
func (w *world) yaml(name string) string {
	kafka, s3, group := w.direct, w.store, w.name
	if s := w.slots[name]; s != nil {
		kafka, s3 = s.kafkaAt, s.s3At
	}
	if name == "c3" {
		group += "-other"
	}
	return fmt.Sprintf(`kafka:
  brokers: [%q]
  topics: {events: %s, chunks: %s, erasures: %s, dlq: %s}
  group: %s
  partitions: %d
  session_timeout: %s
s3: {endpoint: %q, access_key: %s, secret_key: %s, bucket: chaos-%s}
http: {addr: "127.0.0.1:0"}
data: %s
cold: {checkpoint: %s, grace: 0s}
dedup: {window: %d}
lake: {keep: 30s, sweep_margin: %s, compact_every: 0s, expire_every: 0s, sweep_every: 0s}
`, kafka, w.topic("events"), w.topic("chunks"), w.topic("erasures"), w.topic("dlq"), group, partitions, sessionTimeout,
		s3, s3User, s3Password, w.name, filepath.Join(w.dir, name), checkpoint, dedupWindow, sweepMargin)
}

// process makes the process of a slot; it does not run yet.
func (w *world) process(name string) error {
	file, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return err
	}
	part := "cold"
	if name[0] == 'c' {
		part = "committer"
	}
	log := &logScanner{file: file, name: name, wrong: func(text string) { w.wrong("%s", text) }}
	w.procs[name] = &process{name: name, log: log, make: func() *exec.Cmd {
		cmd := exec.Command(w.binary, "run", "--config", w.config(name), "--pipelines", part, "--log-level", "debug")
		cmd.Env = append(os.Environ(), "COLDSTREAM_FAULTS="+w.slots[name].socket, "GOMAXPROCS=2", "GORACE=halt_on_error=1")
		return cmd
	}}
	return nil
}

func (w *world) close() {
	var all sync.WaitGroup
	for _, p := range w.procs {
		all.Go(func() { p.stop(20 * time.Second) })
	}
	all.Wait()
	w.producer.stop()
	w.watch.stop()
	w.client.Close()
	for _, p := range w.procs {
		p.log.file.Close()
	}
}

// round does faults, each beginning while those before it may still last, and waits for the end of all.
func (w *world) round(faults []*fault) {
	var all sync.WaitGroup
	for _, f := range faults {
		if w.ctx.Err() != nil || w.late() || w.spoilt() {
			break
		}
		if f.Kind.alone || f.Kind.last > 0 {
			all.Wait()
			if f.Kind.last > 0 {
				w.check()
			}
			w.do(f)
			continue
		}
		all.Go(func() { w.do(f) })
		select {
		case <-w.ctx.Done():
		case <-time.After(f.Gap):
		}
	}
	all.Wait()
}

// again tries once more what did not strike, of kinds of which nothing struck yet.
func (w *world) again(faults []*fault) {
	for _, f := range faults {
		if w.ctx.Err() == nil && !w.late() && !w.spoilt() && w.fired[f.Kind.name] == 0 {
			w.do(f)
		}
	}
}

// do does one fault and writes it down.
func (w *world) do(f *fault) {
	begin := time.Now()
	fired, detail := f.Kind.inject(w, f)
	took := time.Since(begin)
	w.mu.Lock()
	w.planned[f.Kind.name]++
	if fired {
		w.fired[f.Kind.name]++
	}
	w.mu.Unlock()
	w.journal.write(entry{What: "fault", World: w.n, N: f.N, Kind: f.Kind.name, Step: f.Step, Fired: fired, TookMs: took.Milliseconds(), Detail: detail, Mutant: w.o.mutant})
	mark := "  "
	if !fired {
		mark = "- "
	}
	say("%s%4d %6.1fs %-18s %-20s %s", mark, f.N, time.Since(w.began).Seconds(), f.Kind.name, f.Step, detail)
}
