package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const patience = 30 * time.Second

// memory is a sink that commits at every tick and remembers what it was given.
type memory struct {
	mu       sync.Mutex
	commit   ingest.CommitFunc
	held     map[int32]schemas.Range
	offsets  map[int32][]int64 // of rows, by partition, in the order of coming
	starts   []schemas.Start
	lost     int
	revoked  int
	pressure bool
	fail     error // returned by the next Write
	calls    int   // running now; two at once would break the contract
}

func newMemory() *memory {
	return &memory{held: map[int32]schemas.Range{}, offsets: map[int32][]int64{}}
}

func (m *memory) enter() func() {
	m.mu.Lock()
	m.calls++
	if m.calls > 1 {
		panic("two calls of a sink at once")
	}
	return func() { m.calls--; m.mu.Unlock() }
}

func (m *memory) Open(_ context.Context, commit ingest.CommitFunc) error {
	defer m.enter()()
	m.commit = commit
	clear(m.held)
	return nil
}

func (m *memory) Assign(_ context.Context, starts []schemas.Start) error {
	defer m.enter()()
	m.starts = append(m.starts, starts...)
	return nil
}

func (m *memory) Write(_ context.Context, b *schemas.Batch, r schemas.Range, _ []schemas.DeadLetter) error {
	defer m.enter()()
	if err := m.fail; err != nil {
		m.fail = nil
		return err
	}
	if old, ok := m.held[r.Partition]; ok && old.Next != r.From {
		return fmt.Errorf("range %+v after %+v", r, old)
	}
	m.held[r.Partition] = r
	m.offsets[r.Partition] = append(m.offsets[r.Partition], b.Offset...)
	return nil
}

func (m *memory) Tick(ctx context.Context, _ time.Time) error {
	defer m.enter()()
	return m.flush(ctx)
}

func (m *memory) flush(ctx context.Context) error {
	var ranges []schemas.Range
	for _, r := range m.held {
		ranges = append(ranges, r)
	}
	if len(ranges) == 0 {
		return nil
	}
	clear(m.held)
	return m.commit(ctx, ranges)
}

func (m *memory) Revoke(ctx context.Context, _ []schemas.Source) error {
	defer m.enter()()
	m.revoked++
	return m.flush(ctx)
}

func (m *memory) Lost([]schemas.Source) {
	defer m.enter()()
	m.lost++
	clear(m.held)
}

func (m *memory) Close(ctx context.Context) error {
	defer m.enter()()
	return m.flush(ctx)
}

func (m *memory) Pressure() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pressure
}

// rows is how many rows came from a partition.
func (m *memory) rows(partition int32) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.offsets[partition])
}

type running struct {
	*ingest.Pipeline
	stop func() error
	done chan struct{}
	err  error
}

func config(t *testing.T, topic, group string, sink ingest.Sink) ingest.Config {
	return ingest.Config{
		Client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, Topics: []string{topic}, Group: group, Sink: sink,
		Decoder: func(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} },
		Tick:    10 * time.Millisecond, Heartbeat: 100 * time.Millisecond, SessionTimeout: 6 * time.Second, Backoff: 50 * time.Millisecond,
	}
}

func run(t *testing.T, cfg ingest.Config) *running {
	t.Helper()
	p, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Pipeline: p, done: make(chan struct{})}
	r.stop = func() error { cancel(); <-r.done; return r.err }
	go func() {
		defer close(r.done)
		r.err = p.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-r.done })
	return r
}

func produce(t *testing.T, topic string, from, n int) {
	t.Helper()
	c := testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := from; i < from+n; i++ {
		id := schemas.DiscordEpoch.ID(1_700_000_000_000+int64(i), 0)
		v := fmt.Sprintf(`{"event_id":"%d","channel_id":"1","content":"x"}`, id)
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func waitRows(t *testing.T, m *memory, n int) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := m.rows(0); got < n {
			return fmt.Errorf("%d rows, want %d", got, n)
		}
		return nil
	})
}

// A pipeline without transactions commits what its sink says, and the next one goes on there.
func TestGoesOnWhereCommitted(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 5)
	m := newMemory()
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 5)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	produce(t, topic, 5, 3)
	m = newMemory()
	r = run(t, config(t, topic, group, m))
	waitRows(t, m, 3)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if len(m.starts) != 1 || m.starts[0].Offset != 5 || m.offsets[0][0] != 5 || len(m.offsets[0]) != 3 {
		t.Errorf("starts %+v, offsets %v", m.starts, m.offsets[0])
	}
	if s := r.Stats(); s.Events != 3 || s.Records != 3 || s.Commits == 0 || s.Rewinds != 0 {
		t.Errorf("stats %+v", s)
	}
}

// The table's position counts where it is later than the group's.
func TestFloor(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	produce(t, topic, 0, 6)
	m := newMemory()
	cfg := config(t, topic, testkit.Name(t), m)
	cfg.Floor = func(_ context.Context, sources []schemas.Source) ([]schemas.Start, error) {
		s := sources[0]
		if s.Cluster == "" || s.Topic != topic || len(s.TopicID) != 36 {
			t.Errorf("source %+v", s)
		}
		s.Index = 7
		return []schemas.Start{{Source: s, Offset: 4}}, nil
	}
	r := run(t, cfg)
	waitRows(t, m, 2)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if m.offsets[0][0] != 4 || m.starts[0].Index != 7 {
		t.Errorf("offsets %v, starts %+v", m.offsets[0], m.starts)
	}
}

// watcher is a processor that remembers what it saw before and after the start.
type watcher struct {
	mu              sync.Mutex
	before, from    []int64
	processorCalled bool
}

func (w *watcher) History() int64 { return 3 }

func (w *watcher) Remember(b *schemas.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.processorCalled {
		panic("history after the start")
	}
	w.before = append(w.before, b.Offset...)
}

func (w *watcher) Process(b *schemas.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processorCalled = true
	w.from = append(w.from, b.Offset...)
	return nil
}

func TestHistoryComesFirst(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 6)
	m := newMemory()
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 6)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	produce(t, topic, 6, 2)
	m, w := newMemory(), &watcher{}
	cfg := config(t, topic, group, m)
	cfg.Processors = func(schemas.Source) []ingest.Processor { return []ingest.Processor{w} }
	r = run(t, cfg)
	waitRows(t, m, 2)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(w.before, w.from, m.offsets[0]) != "[3 4 5] [6 7] [6 7]" {
		t.Errorf("remembered %v, processed %v, written %v", w.before, w.from, m.offsets[0])
	}
}

// A sink's wish to rewind drops everything and reads again; any other error ends the pipeline.
func TestSinkErrors(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 5)
	m := newMemory()
	m.fail = fmt.Errorf("%w: a test", schemas.ErrRewind)
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 5)
	if r.Stats().Rewinds != 1 || m.lost == 0 {
		t.Errorf("%d rewinds, %d losses", r.Stats().Rewinds, m.lost)
	}
	broken := errors.New("broken")
	m.mu.Lock()
	m.fail = broken
	m.mu.Unlock()
	produce(t, topic, 5, 1)
	<-r.done
	if !errors.Is(r.err, broken) || !strings.Contains(r.err.Error(), topic) {
		t.Errorf("ended with %v", r.err)
	}
}

// A member that the broker has thrown out drops what it holds, joins again and reads on.
func TestLostMembership(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 5)
	m := newMemory()
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 5)
	admin := testkit.KafkaClient(t)
	groups, err := kadm.NewClient(admin).DescribeGroups(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = group
	for _, member := range groups[group].Members {
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID = member.MemberID
		req.Members = append(req.Members, one)
	}
	if _, err := req.RequestWith(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.lost == 0 || len(m.starts) < 2 {
			return fmt.Errorf("%d losses, %d starts", m.lost, len(m.starts))
		}
		return nil
	})
	produce(t, topic, 5, 5)
	waitRows(t, m, 10)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for i, o := range m.offsets[0] {
		if int64(i) != o {
			t.Fatalf("offsets %v", m.offsets[0])
		}
	}
}

// Under pressure nothing is fetched, and the membership lives on.
func TestPressure(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	m := newMemory()
	m.pressure = true
	r := run(t, config(t, topic, testkit.Name(t), m))
	produce(t, topic, 0, 5)
	testkit.Eventually(t, patience, func() error {
		if s := r.Stats(); s.Pauses < 20 {
			return fmt.Errorf("%d pauses", s.Pauses)
		}
		return nil
	})
	if n := m.rows(0); n != 0 {
		t.Errorf("%d rows under pressure", n)
	}
	m.mu.Lock()
	m.pressure = false
	m.mu.Unlock()
	waitRows(t, m, 5)
}

// A worker under pressure reads nothing and answers the group all the same: when another joins, it hands a partition over.
func TestRebalanceUnderPressure(t *testing.T) {
	topic, group := testkit.Topic(t, 2, nil), testkit.Name(t)
	full, other := newMemory(), newMemory()
	full.pressure = true
	r := run(t, config(t, topic, group, full))
	testkit.Eventually(t, patience, func() error {
		if n := len(full.assigned()); n != 2 || r.Stats().Pauses == 0 {
			return fmt.Errorf("%d partitions, %d pauses", n, r.Stats().Pauses)
		}
		return nil
	})
	run(t, config(t, topic, group, other))
	testkit.Eventually(t, patience, func() error {
		if n := len(other.assigned()); n != 1 {
			return fmt.Errorf("%d partitions", n)
		}
		return nil
	})
	if full.rows(0)+full.rows(1) != 0 || full.lost != 0 {
		t.Errorf("%d rows, lost %d times", full.rows(0)+full.rows(1), full.lost)
	}
}

// assigned gives what the sink was given, and may have had to give back.
func (m *memory) assigned() []schemas.Start {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.starts)
}

func TestMissingTopic(t *testing.T) {
	name := testkit.Name(t)
	r := run(t, config(t, name, testkit.Name(t), newMemory()))
	<-r.done
	if r.err == nil || !strings.Contains(r.err.Error(), "coldstream init") {
		t.Errorf("ended with %v", r.err)
	}
}

func TestValidateSaysEverything(t *testing.T) {
	_, err := ingest.New(ingest.Config{Tick: -1})
	for _, want := range []string{"brokers", "topics", "group", "decoder", "sink", "negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not mention %q", err, want)
		}
	}
}

func TestInstance(t *testing.T) {
	dir := t.TempDir()
	a, err := ingest.OpenInstance(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.OpenInstance(dir); err == nil {
		t.Error("two processes have one identity")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := ingest.OpenInstance(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != b.ID || b.TransactionalID("g") != "g-"+a.ID {
		t.Errorf("%q and %q", a.ID, b.ID)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}
