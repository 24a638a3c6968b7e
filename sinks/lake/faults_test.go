package lake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

func (w *world) deleteBefore(partition int32, offset int64) {
	w.t.Helper()
	var o kadm.Offsets
	o.Add(kadm.Offset{Topic: w.events, Partition: partition, At: offset})
	resp, err := kadm.NewClient(w.producer).DeleteRecords(w.t.Context(), o)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// hooked is a sink whose commits go through a hook; dead makes its Close drop everything, as kill -9 does.
type hooked struct {
	*sink.Sink
	hook func(n int64, commit func(extra ...*kgo.Record) error) error
	n    atomic.Int64
	dead bool
}

func (h *hooked) Open(ctx context.Context, commit ingest.CommitFunc) error {
	return h.Sink.Open(ctx, func(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error {
		return h.hook(h.n.Add(1), func(extra ...*kgo.Record) error { return commit(ctx, ranges, append(records, extra...)...) })
	})
}

func (h *hooked) Close(ctx context.Context) error {
	if h.dead {
		return h.Open(ctx, nil)
	}
	return h.Sink.Close(ctx)
}

// startHooked starts a worker whose commits go through the hook. Its sink is made here, not by start.
func (w *world) startHooked(name string, hook func(n int64, commit func(extra ...*kgo.Record) error) error, opts ...option) (*worker, *hooked) {
	w.t.Helper()
	h := &hooked{hook: hook}
	opts = append(opts, func(ic *ingest.Config, sc *sink.Config) {
		s, err := sink.New(*sc)
		if err != nil {
			w.t.Fatal(err)
		}
		h.Sink, ic.Sink = s, h
	})
	k := w.start(name, opts...)
	k.sink = h.Sink
	return k, h
}

// A worker killed after its upload and before its transaction leaves files that no record names; the next one, under
// the same identity, stores the rows once.
func TestKilledBetweenUploadAndTransaction(t *testing.T) {
	w := newWorld(t, 2)
	w.produce(0, many(0, 50)...)
	w.produce(1, many(50, 50)...)
	var k *worker
	store := &fault{Store: w.store}
	ready := make(chan struct{})
	k, h := w.startHooked("a", func(int64, func(...*kgo.Record) error) error {
		<-ready
		k.cancel()
		return fmt.Errorf("%w: killed", schemas.ErrRewind)
	}, withStore(store))
	h.dead = true
	close(ready)
	<-k.done
	if store.puts.Load() == 0 {
		t.Fatal("nothing was uploaded")
	}
	if c := w.want(0); len(c.checkpoints) != 0 {
		t.Fatal("a record was written")
	}
	k = w.start("a")
	c := w.want(100)
	k.stop()
	stored := 0
	for info, err := range w.store.List(t.Context(), w.table.Key("data/")) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Key, ".parquet") {
			stored++
		}
	}
	if stored <= len(c.files) {
		t.Errorf("%d objects, %d announced: the orphan is missing", stored, len(c.files))
	}
}

// A worker was killed in the middle of its transaction. The next process under its id ends that at once; it does not wait
// until the broker does.
func TestKilledInTransaction(t *testing.T) {
	w := newWorld(t, 1)
	id := w.group + "-a"
	left := testkit.KafkaClient(t, kgo.TransactionalID(id), kgo.TransactionTimeout(2*time.Minute))
	if err := left.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := left.ProduceSync(t.Context(), &kgo.Record{Topic: w.chunks, Value: []byte("half of a checkpoint")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.produce(0, many(0, 10)...)
	w.start("a")
	w.want(10)
}

// A transaction that fails in the middle is aborted as a whole, and its rows are stored once by the next.
func TestAbortedTransaction(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, append(many(0, 20), "bad")...)
	k, h := w.startHooked("a", func(n int64, commit func(...*kgo.Record) error) error {
		if n <= 2 { // too large for the producer: the records before it are on the broker already
			return commit(&kgo.Record{Topic: w.dlq, Value: make([]byte, 9<<20)})
		}
		return commit()
	})
	w.want(20)
	k.stop()
	if h.n.Load() < 3 || k.pipeline.Stats().Rewinds < 2 {
		t.Errorf("%d commits, %d rewinds", h.n.Load(), k.pipeline.Stats().Rewinds)
	}
	if letters, err := w.records(w.dlq); err != nil || len(letters) != 1 {
		t.Errorf("%d dead letters, %v", len(letters), err)
	}
}

// A commit whose outcome is not known (here: it succeeded, and the answer was lost) is settled by reading again from what
// the group has committed.
func TestUnknownOutcome(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 20)...)
	k, _ := w.startHooked("a", func(n int64, commit func(...*kgo.Record) error) error {
		err := commit()
		if n == 1 && err == nil {
			return fmt.Errorf("%w: the answer was lost", schemas.ErrRewind)
		}
		return err
	})
	w.want(20)
	w.produce(0, many(20, 20)...)
	w.want(40)
	k.stop()
}

// A worker whose identity another process took is refused; it reads again, and when that goes on it ends.
func TestFenced(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 20)...)
	steal := func() {
		z, err := kgo.NewClient(kgo.SeedBrokers(testkit.Kafka(t)), kgo.TransactionalID(w.group+"-a"))
		if err != nil {
			t.Error(err)
			return
		}
		defer z.Close()
		if _, _, err := z.ProducerID(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var fences atomic.Int64
	fences.Store(1)
	hook := func(_ int64, commit func(...*kgo.Record) error) error {
		if fences.Add(-1) >= 0 {
			// The producer id must exist before it can be stolen: a commit that fails late makes it.
			if err := commit(&kgo.Record{Topic: w.dlq, Value: make([]byte, 9<<20)}); !errors.Is(err, schemas.ErrRewind) {
				t.Errorf("commit: %v", err)
			}
			steal()
		}
		return commit()
	}
	k, _ := w.startHooked("a", hook)
	w.want(20)
	if s := k.pipeline.Stats(); s.Rewinds == 0 {
		t.Errorf("stats %+v", s)
	}
	fences.Store(1 << 30)
	w.produce(0, many(20, 20)...)
	<-k.done
	if !errors.Is(k.err, ingest.ErrFenced) {
		t.Errorf("worker ended with %v", k.err)
	}
	w.want(20)
	w.start("a")
	w.want(40)
}

// A store that is away costs time only.
func TestUploadFailsThenRecovers(t *testing.T) {
	w := newWorld(t, 1)
	store := &fault{Store: w.store}
	store.fail.Store(true)
	w.produce(0, many(0, 20)...)
	k := w.start("a", withStore(store))
	testkit.Eventually(t, patience, func() error {
		if s := k.sink.Stats(); !errors.Is(s.UploadError, errAway) || store.puts.Load() < 3 {
			return fmt.Errorf("%d tries, %v", store.puts.Load(), s.UploadError)
		}
		return nil
	})
	store.fail.Store(false)
	w.want(20)
	k.stop()
	if s := k.sink.Stats(); s.UploadError != nil || s.Checkpoints == 0 {
		t.Errorf("stats %+v", s)
	}
}

// While the store does not answer, a worker holds at most its two buffers and stays in the group.
func TestSlowStoreBoundsMemory(t *testing.T) {
	w := newWorld(t, 1)
	store := &fault{Store: w.store, gate: make(chan struct{})}
	const budget, poll = 100, 50
	w.produce(0, many(0, 2000)...)
	k := w.start("a", slow, withStore(store), func(ic *ingest.Config, sc *sink.Config) {
		sc.MaxRows, ic.MaxPoll = budget, poll
	})
	testkit.Eventually(t, patience, func() error {
		if s := k.pipeline.Stats(); s.Pauses < 50 {
			return fmt.Errorf("%d pauses", s.Pauses)
		}
		return nil
	})
	if s := k.pipeline.Stats(); s.Events > 2*(budget+poll) {
		t.Errorf("%d rows taken while the store was away, want at most %d", s.Events, 2*(budget+poll))
	}
	close(store.gate)
	testkit.Eventually(t, patience, func() error {
		if s := k.pipeline.Stats(); s.Events < 2000 {
			return fmt.Errorf("%d events", s.Events)
		}
		return nil
	})
	k.stop()
	w.want(2000)
}

// Workers join and leave while events come; every one is stored once.
func TestRebalances(t *testing.T) {
	w := newWorld(t, 4)
	total := 0
	send := func() {
		for p := range int32(4) {
			w.produce(p, many(total, 25)...)
			total += 25
		}
	}
	send()
	a := w.start("a")
	send()
	w.waitStored(100)
	b := w.start("b")
	for range 5 {
		send()
	}
	w.waitHolding(b)
	send()
	w.waitStored(total - 100)
	c := w.start("c")
	send()
	w.waitHolding(c)
	send()
	a.stop()
	send()
	c.stop()
	send()
	w.want(total)
	b.stop()
	w.want(total)
}

// waitStored waits for at least n events in the lake.
func (w *world) waitStored(n int) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, func() error {
		c, err := w.read()
		if err == nil && len(c.ids) < n {
			err = fmt.Errorf("%d events stored, want %d", len(c.ids), n)
		}
		return err
	})
}

// waitHolding waits until a worker holds a partition.
func (w *world) waitHolding(k *worker) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, func() error {
		lag, err := k.pipeline.Lag(w.t.Context())
		if err == nil && len(lag) == 0 {
			err = errors.New("no partition held")
		}
		return err
	})
}

// A revoke that cannot be made durable in its time drops what is held; the next owner reads it again.
func TestRevokeBound(t *testing.T) {
	w := newWorld(t, 2)
	store := &fault{Store: w.store, gate: make(chan struct{})}
	w.produce(0, many(0, 50)...)
	w.produce(1, many(50, 50)...)
	short := func(ic *ingest.Config, _ *sink.Config) { ic.RebalanceTimeout = 3 * time.Second }
	a := w.start("a", slow, short, withStore(store))
	w.waitHeld(a, 100)
	b := w.start("b", short)
	testkit.Eventually(t, patience, func() error {
		if a.pipeline.Stats().Rewinds == 0 {
			return errors.New("a has not given up")
		}
		return nil
	})
	close(store.gate)
	a.stop()
	w.want(100)
	b.stop()
}

// Group offsets that were lost do not matter: the records in topic chunks say where the archive stands.
func TestFloorAboveGroup(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 10)...)
	k := w.start("a")
	w.want(10)
	k.stop()
	if _, err := kadm.NewClient(w.producer).DeleteGroup(t.Context(), w.group); err != nil {
		t.Fatal(err)
	}
	w.produce(0, many(10, 10)...)
	k = w.start("a")
	w.want(20)
	k.stop()
}

// expel makes the broker drop every member of the group, as it does with members that it no longer hears.
func (w *world) expel() {
	w.t.Helper()
	groups, err := kadm.NewClient(w.producer).DescribeGroups(w.t.Context(), w.group)
	if err != nil {
		w.t.Fatal(err)
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = w.group
	for _, m := range groups[w.group].Members {
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID = m.MemberID
		req.Members = append(req.Members, one)
	}
	if _, err := req.RequestWith(w.t.Context(), w.producer); err != nil {
		w.t.Fatal(err)
	}
}

// A worker that hangs in the middle of a checkpoint and has been replaced meanwhile cannot commit when it wakes: the rows
// are stored once, by its successor.
func TestZombieCannotCommit(t *testing.T) {
	w := newWorld(t, 2)
	w.produce(0, many(0, 30)...)
	w.produce(1, many(30, 30)...)
	frozen, wake := make(chan struct{}), make(chan struct{})
	var zombie error
	a, _ := w.startHooked("a", func(n int64, commit func(...*kgo.Record) error) error {
		if n > 1 {
			return commit()
		}
		close(frozen)
		<-wake
		zombie = commit()
		return zombie
	})
	<-frozen
	w.expel()
	b := w.start("b")
	w.want(60)
	close(wake)
	testkit.Eventually(t, patience, func() error {
		if a.pipeline.Stats().Rewinds == 0 {
			return errors.New("the zombie has not noticed")
		}
		return nil
	})
	w.produce(0, many(60, 30)...)
	c := w.want(90)
	a.stop()
	b.stop()
	if !errors.Is(zombie, schemas.ErrRewind) || c.checkpoints[0].Worker != "b" {
		t.Errorf("the zombie's commit: %v; the first record is by %s", zombie, c.checkpoints[0].Worker)
	}
}

// Rows held by a worker that is thrown out of the group are dropped and read again.
func TestExpelled(t *testing.T) {
	w := newWorld(t, 2)
	w.produce(0, many(0, 30)...)
	w.produce(1, many(30, 30)...)
	k := w.start("a", slow)
	w.waitHeld(k, 60)
	w.expel()
	testkit.Eventually(t, patience, func() error {
		if s := k.pipeline.Stats(); s.Events < 120 {
			return fmt.Errorf("%d events read, want each of 60 twice", s.Events)
		}
		return nil
	})
	k.stop()
	w.want(60)
}
