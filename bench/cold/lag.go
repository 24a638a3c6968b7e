package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/coldstream/coldstream/bench"
)

// firstEvents is what the worker reads before the store is kept from it.
const firstEvents = 1000

// growLag shows a worker's memory while records pile up that it cannot make durable, and while it catches up.
func growLag(ctx context.Context, o options) error {
	t, err := bench.OpenTopics(o.kafka)
	if err != nil {
		return err
	}
	defer t.Close()
	topic := fmt.Sprintf("bench-cold-lag-%d", time.Now().Unix())
	if err := t.Create(ctx, topic, bench.Partitions); err != nil {
		return err
	}
	defer func() { _, _ = t.Admin.DeleteTopic(context.WithoutCancel(ctx), topic) }()
	store, err := newGate(o.s3.Endpoint)
	if err != nil {
		return err
	}
	defer store.close()
	w, err := prepare(ctx, o, topic, store.addr())
	if err != nil {
		return err
	}
	defer w.Clean(context.WithoutCancel(ctx), t)
	return w.watchLag(ctx, t, store)
}

func (w *worker) watchLag(ctx context.Context, t *bench.Topics, store *gate) (err error) {
	if err := w.Start(ctx); err != nil {
		return err
	}
	defer func() {
		store.open()
		err = errors.Join(err, w.Stop())
	}()
	first, err := t.Fill(ctx, w.topic, firstEvents, func(int64) {}) // the stream below begins with the same: repeats
	if err != nil {
		return err
	}
	err = w.Await(ctx, 100*time.Millisecond, func() (bool, error) { // it reads, so it has asked the store all that it wants to know
		s, err := w.Status(ctx)
		return err == nil && s.Counters["cold.records"] >= first.Records, nil
	})
	if err != nil {
		return err
	}
	store.shut()
	fmt.Printf("%12s %12s %10s %10s\n", "published", "lag", "RSS MB", "peak MB")
	next := int64(10_000)
	made, err := t.Fill(ctx, w.topic, w.o.lag, func(n int64) {
		if n >= next {
			w.printLag(ctx, first.Records+n)
			next *= 3
		}
	})
	if err != nil {
		return err
	}
	w.printLag(ctx, first.Records+made.Records)
	store.open()
	ends, err := t.Ends(ctx, w.topic)
	if err != nil {
		return err
	}
	describe(ctx, w.o, made, ends)
	r, err := w.finish(ctx, made, ends)
	if err == nil {
		r.print()
	}
	return err
}

// printLag prints one line: what the worker has not read is counted by itself, as nothing is durable.
func (w *worker) printLag(ctx context.Context, published int64) {
	s, err := w.Status(ctx)
	u, uerr := w.Usage()
	if err = errors.Join(err, uerr); err != nil {
		fmt.Printf("%12d %v\n", published, err)
		return
	}
	fmt.Printf("%12d %12d %10d %10d\n", published, published-s.Counters["cold.records"], u.Resident>>20, u.Peak>>20)
}

// gate is a way to the store that can be shut: connections stay and nothing passes.
type gate struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	pass *sync.Cond
	held bool
}

func newGate(to string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, to: to}
	g.pass = sync.NewCond(&g.mu)
	go g.serve()
	return g, nil
}

func (g *gate) addr() string { return g.listener.Addr().String() }

func (g *gate) close() { _ = g.listener.Close() }

func (g *gate) set(held bool) {
	g.mu.Lock()
	g.held = held
	g.mu.Unlock()
	g.pass.Broadcast()
}

func (g *gate) shut() { g.set(true) }
func (g *gate) open() { g.set(false) }

func (g *gate) serve() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", g.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		go g.copy(out, in)
		go g.copy(in, out)
	}
}

func (g *gate) copy(to, from net.Conn) {
	_, _ = io.Copy(gated{g, to}, from) // an end of either side is the end of both
	_ = to.Close()
	_ = from.Close()
}

type gated struct {
	*gate
	to io.Writer
}

func (g gated) Write(p []byte) (int, error) {
	g.mu.Lock()
	for g.held {
		g.pass.Wait()
	}
	g.mu.Unlock()
	return g.to.Write(p)
}
