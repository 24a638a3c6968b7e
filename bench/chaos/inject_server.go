package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// targets are the slots that a network fault strikes: one worker, or whoever may commit.
func targets(f *fault) []string {
	if f.Step == "committer" {
		return committerSlots
	}
	return []string{workerSlots[f.Pick%len(workerSlots)]}
}

func spoilKafka(how string) injector {
	return func(w *world, f *fault) (bool, string) {
		return w.spoil(f, how, func(s *slot) *wire { return s.kafka })
	}
}

func spoilS3(how string) injector {
	return func(w *world, f *fault) (bool, string) {
		return w.spoil(f, how, func(s *slot) *wire { return s.s3 })
	}
}

func (w *world) spoil(f *fault, how string, of func(*slot) *wire) (bool, string) {
	names := targets(f)
	fired := false
	ends := make(chan error, len(names))
	for _, name := range names {
		fired = w.awaitRunning(name) || fired
		go func() { ends <- of(w.slots[name]).spoil(how, f.Hold) }()
	}
	for range names {
		if err := <-ends; err != nil {
			w.wrong("the proxy: %v", err)
		}
	}
	return fired, fmt.Sprintf("%v for %s", names, f.Hold.Round(time.Millisecond))
}

// answerS3 spoils the next requests of a class, of all processes that make them.
func answerS3(mode string) injector {
	return func(w *world, f *fault) (bool, string) {
		x := map[string]*s3Fault{}
		for _, name := range append(append([]string{}, workerSlots...), committerSlots...) {
			x[name] = &s3Fault{class: f.Step, mode: mode, left: 1 + f.Pick%3, hold: f.Hold}
			w.slots[name].front.add(x[name])
		}
		struck := func() (n int) {
			for name, y := range x {
				n += w.slots[name].front.hitsOf(y)
			}
			return n
		}
		for begin := time.Now(); struck() == 0 && time.Since(begin) < patience; {
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(f.Hold)
		for name, y := range x {
			w.slots[name].front.remove(y)
		}
		return struck() > 0, fmt.Sprintf("%d requests", struck())
	}
}

func (f *s3Front) hitsOf(x *s3Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return x.hits
}

func restartKafka(w *world, f *fault) (bool, string) { return w.restart(w.kafka, f) }
func restartMinIO(w *world, f *fault) (bool, string) { return w.restart(w.minio, f) }

// restartKafkaAt ends the broker while a worker is in its transaction. By SIGTERM a broker goes on answering for a moment, in
// which the worker goes on as well: what the coordinator has promised then it must keep after its start.
func restartKafkaAt(w *world, f *fault) (bool, string) {
	signal, step, _ := strings.Cut(f.Step, " ")
	at := *f
	at.Step = step
	h, ok := w.catch(&at, workerSlots)
	if !ok {
		return false, "nobody came"
	}
	w.slots[h.slot].faulty.Unlock()
	time.AfterFunc(time.Duration(f.Pick%300)*time.Millisecond, h.let)
	at.Step = signal
	fired, detail := w.restart(w.kafka, &at)
	return fired, h.slot + " in it; " + detail
}

func (w *world) restart(s *server, f *fault) (bool, string) {
	s.faulty.Lock()
	defer s.faulty.Unlock()
	begin := time.Now()
	sig := syscall.SIGTERM
	if f.Step == "KILL" {
		sig = syscall.SIGKILL
	}
	s.end(sig)
	time.Sleep(f.Hold)
	if err := s.start(w.ctx); err != nil {
		w.wrong("%v", err)
		return false, err.Error()
	}
	return true, fmt.Sprintf("away for %s", time.Since(begin).Round(100*time.Millisecond))
}

// producerAbort aborts a transaction of a producer: its records are in the log and must not be in the lake.
func producerAbort(w *world, _ *fault) (bool, string) {
	ctx := timeout(20 * sec)
	client, err := w.producer.transaction(ctx, w.direct, 20, time.Minute)
	if err != nil {
		return false, err.Error()
	}
	defer client.Close()
	return client.AbortBufferedRecords(ctx) == nil && client.EndTransaction(ctx, false) == nil, "20 records"
}

// producerHang leaves a transaction open until the broker ends it: nothing behind it can be read meanwhile.
func producerHang(w *world, f *fault) (bool, string) {
	client, err := w.producer.transaction(timeout(20*sec), w.direct, 20, f.Hold-2*sec)
	if err != nil {
		return false, err.Error()
	}
	time.Sleep(f.Hold)
	client.CloseAllowingRebalance()
	return true, fmt.Sprintf("open for %s", (f.Hold - 2*sec).Round(time.Millisecond))
}
