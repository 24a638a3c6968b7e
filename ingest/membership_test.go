package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// A worker that the group dropped while its JoinGroup was on the way comes back under a new member id. What it held has
// been committed by another meanwhile, so it must not commit it: neither when the partitions are taken from it, nor when
// they come back to it.
func TestDroppedWhileJoining(t *testing.T) {
	t.Run("and another stays", func(t *testing.T) { dropWhileJoining(t, newStall(t), true) })
	t.Run("and another has gone", func(t *testing.T) { dropWhileJoining(t, newStall(t), false) })
	t.Run("with transactions", func(t *testing.T) {
		s := newStall(t)
		s.transactions = true
		dropWhileJoining(t, s, false)
	})
}

func dropWhileJoining(t *testing.T, s *stall, otherStays bool) {
	s.produce(0, 10)
	a := s.hoarder()
	a.hold.Store(true)
	worker := run(t, s.config("a", a))
	s.eventually(func() error { return a.reached(10) })
	s.delayJoin()

	b := s.hoarder()
	other := run(t, s.config("b", b))
	s.eventually(func() error { return s.book.reached(10) })
	s.produce(10, 10)
	s.eventually(func() error { return a.reached(20) }) // it reads on
	s.eventually(func() error { return s.book.reached(20) })
	if !otherStays {
		if err := other.stop(); err != nil {
			t.Fatal(err)
		}
	}
	close(s.release)
	if !otherStays {
		s.eventually(s.rejoined)
		a.hold.Store(false)
	}
	s.eventually(func() error {
		if worker.Stats().Rewinds == 0 {
			return fmt.Errorf("no rewind; committed %v", s.book.list())
		}
		return nil
	})
	a.hold.Store(false)
	s.produce(20, 10)
	s.eventually(func() error { return s.book.reached(30) })
	if err := s.book.overlap(); err != nil {
		t.Error(err)
	}
}

const stallTopic, stallLog, stallGroup, stallPartitions = "events", "chunks", "g", 2

// stall is a broker that holds one JoinGroup back.
type stall struct {
	t       *testing.T
	cluster *kfake.Cluster
	client  *kgo.Client
	book    book
	stalled string // the member whose JoinGroup it is
	release chan struct{}

	transactions bool
}

func newStall(t *testing.T) *stall {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(stallPartitions, stallTopic), kfake.SeedTopics(1, stallLog))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &stall{t: t, cluster: cluster, client: client, release: make(chan struct{})}
}

func (s *stall) config(name string, sink ingest.Sink) ingest.Config {
	cfg := config(s.t, stallTopic, stallGroup, sink)
	cfg.Client = []kgo.Opt{kgo.SeedBrokers(s.cluster.ListenAddrs()...)}
	cfg.Decoder = func(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} }
	cfg.RebalanceTimeout = time.Second
	if s.transactions {
		cfg.TransactionalID = name
	}
	return cfg
}

func (s *stall) hoarder() *hoarder {
	h := &hoarder{memory: newMemory(), book: &s.book}
	if s.transactions {
		h.log = stallLog
	}
	return h
}

func (s *stall) eventually(condition func() error) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, condition)
}

// produce writes n events from the number on to every partition.
func (s *stall) produce(from, n int) {
	s.t.Helper()
	for p := range int32(stallPartitions) {
		for i := from; i < from+n; i++ {
			v := fmt.Sprintf(`{"event_id":"%d","channel_id":"1"}`, schemas.DiscordEpoch.ID(1_700_000_000_000+int64(i), 0))
			r := &kgo.Record{Topic: stallTopic, Partition: p, Value: []byte(v)}
			if err := s.client.ProduceSync(s.t.Context(), r).FirstErr(); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func (s *stall) members() ([]kadm.DescribedGroupMember, error) {
	groups, err := kadm.NewClient(s.client).DescribeGroups(s.t.Context(), stallGroup)
	if err != nil {
		return nil, err
	}
	return groups[stallGroup].Members, groups.Error()
}

// delayJoin holds the next JoinGroup of the group's only member until release is closed.
func (s *stall) delayJoin() {
	s.t.Helper()
	members, err := s.members()
	if err != nil || len(members) != 1 {
		s.t.Fatalf("members %v, %v", members, err)
	}
	s.stalled = members[0].MemberID
	var held atomic.Bool
	s.cluster.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		s.cluster.KeepControl()
		if req.(*kmsg.JoinGroupRequest).MemberID == s.stalled && held.CompareAndSwap(false, true) {
			s.cluster.SleepControl(func() { <-s.release })
		}
		return nil, nil, false
	})
}

// rejoined says whether the member is back, under another id.
func (s *stall) rejoined() error {
	members, err := s.members()
	if err != nil {
		return err
	}
	if len(members) != 1 || members[0].MemberID == s.stalled {
		return fmt.Errorf("members %v", members)
	}
	return nil
}

// hoarder is a sink that may hold what it gets, and enters into the book what it commits.
type hoarder struct {
	*memory
	book *book
	log  string // topic of a record with every commit; none: no records
	hold atomic.Bool
}

func (h *hoarder) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	h.mu.Lock()
	if old, ok := h.held[r.Partition]; ok && old.Next == r.From {
		r.From = old.From
		delete(h.held, r.Partition)
	}
	h.mu.Unlock()
	return h.memory.Write(ctx, b, r, dead)
}

func (h *hoarder) Open(ctx context.Context, commit ingest.CommitFunc) error {
	return h.memory.Open(ctx, func(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error {
		if h.log != "" {
			records = append(records, &kgo.Record{Topic: h.log, Value: []byte("a checkpoint")})
		}
		err := commit(ctx, ranges, records...)
		if err == nil {
			h.book.enter(ranges)
		}
		return err
	})
}

func (h *hoarder) Tick(ctx context.Context, now time.Time) error {
	if h.hold.Load() {
		return nil
	}
	return h.memory.Tick(ctx, now)
}

// reached says whether everything below next is held.
func (h *hoarder) reached(next int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p := range int32(stallPartitions) {
		if h.held[p].Next < next {
			return fmt.Errorf("holds %+v, want all below %d", h.held, next)
		}
	}
	return nil
}

// book is what workers committed, as the table would get it.
type book struct {
	mu     sync.Mutex
	ranges []schemas.Range
}

func (b *book) enter(ranges []schemas.Range) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ranges = append(b.ranges, ranges...)
}

func (b *book) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, r := range b.ranges {
		all = append(all, fmt.Sprintf("%d:[%d,%d)", r.Partition, r.From, r.Next))
	}
	return all
}

func (b *book) reached(next int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[int32]int64{}
	for _, r := range b.ranges {
		at[r.Partition] = max(at[r.Partition], r.Next)
	}
	for p := range int32(stallPartitions) {
		if at[p] < next {
			return fmt.Errorf("committed %v, want all below %d", at, next)
		}
	}
	return nil
}

// overlap says whether a range does not begin where the one before it ended.
func (b *book) overlap() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[int32]int64{}
	for _, r := range b.ranges {
		if r.From != at[r.Partition] {
			return fmt.Errorf("[%d, %d) of partition %d committed at position %d", r.From, r.Next, r.Partition, at[r.Partition])
		}
		at[r.Partition] = r.Next
	}
	return nil
}

// A transaction of offsets alone would stay open, so a sink that asks for one is wrong.
func TestTransactionNeedsRecord(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	produce(t, topic, 0, 1)
	cfg := config(t, topic, testkit.Name(t), newMemory())
	cfg.TransactionalID = testkit.Name(t)
	r := run(t, cfg)
	r.ended(t)
	if r.err == nil || !strings.Contains(r.err.Error(), "needs one") {
		t.Errorf("ended with %v", r.err)
	}
}
