package lake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/schemas/parquet"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// world is a broker's topics and a bucket's table for one test.
type world struct {
	t                          testing.TB
	events, chunks, dlq, group string
	table                      *lake.Table
	store                      *objects.Store
	producer                   *kgo.Client
	window                     int64 // of dedup
}

func newWorld(t testing.TB, partitions int32) *world {
	t.Helper()
	return newWorldAt(t, partitions, testkit.S3(t), "")
}

// newWorldAt puts the table below a prefix of a bucket.
func newWorldAt(t testing.TB, partitions int32, bucket testkit.S3Access, prefix string) *world {
	t.Helper()
	store := storeOf(t, bucket, prefix)
	w := &world{
		t: t, group: testkit.Name(t), store: store, table: lake.OpenEvents(store), window: 1 << 10,
		events: testkit.Topic(t, partitions, nil), chunks: testkit.Topic(t, 1, nil), dlq: testkit.Topic(t, 1, nil),
	}
	if _, err := w.table.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.producer = testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	return w
}

// event is a creation with a Snowflake of the time.
func event(at time.Time, n int) string {
	return fmt.Sprintf(`{"event_id":"%d","channel_id":"%d","user_id":"7","content":"hello %d"}`,
		schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(n)), n%5, n)
}

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// produce sends values to one partition, in order.
func (w *world) produce(partition int32, values ...string) {
	w.t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{Topic: w.events, Partition: partition, Value: []byte(v)}
	}
	if err := w.producer.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// many gives n events from first on.
func many(first, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = event(monday.Add(time.Duration(first+i)*time.Second), first+i)
	}
	return all
}

// worker is one running cold pipeline.
type worker struct {
	t        testing.TB
	pipeline *ingest.Pipeline
	sink     *sink.Sink
	cancel   context.CancelFunc
	done     chan struct{}
	err      error
}

// option changes a worker before it starts.
type option func(*ingest.Config, *sink.Config)

func withStore(s sink.Store) option { return func(_ *ingest.Config, c *sink.Config) { c.Store = s } }

// slow makes checkpoints a matter of requests and budgets only.
func slow(_ *ingest.Config, c *sink.Config) {
	c.Checkpoint, c.DeadLetterDelay = time.Hour, time.Hour
}

func (w *world) start(name string, opts ...option) *worker {
	w.t.Helper()
	seeds := []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(w.t))}
	sc := sink.Config{
		Table: w.table, Store: w.store, Worker: name, Chunks: w.chunks, DLQ: w.dlq, Epoch: schemas.DiscordEpoch,
		Checkpoint: 100 * time.Millisecond, Grace: -1, DeadLetterDelay: -1,
	}
	ic := ingest.Config{
		Client: seeds, Topics: []string{w.events}, Group: w.group, TransactionalID: w.group + "-" + name,
		Floor:   sink.Floor(w.table, seeds, w.chunks),
		Decoder: func(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} },
		Processors: func(schemas.Source) []ingest.Processor {
			set, err := processors.NewDedup(w.window)
			if err != nil {
				w.t.Error(err)
			}
			return []ingest.Processor{set}
		},
		SessionTimeout: 6 * time.Second, Heartbeat: 200 * time.Millisecond, RebalanceTimeout: 15 * time.Second,
		Tick: 10 * time.Millisecond, Backoff: 100 * time.Millisecond,
	}
	for _, o := range opts {
		o(&ic, &sc)
	}
	s, err := sink.New(sc)
	if err != nil {
		w.t.Fatal(err)
	}
	if ic.Sink == nil {
		ic.Sink = s
	}
	p, err := ingest.New(ic)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &worker{t: w.t, pipeline: p, sink: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		k.err = p.Run(ctx)
	}()
	w.t.Cleanup(func() { k.cancel(); <-k.done })
	return k
}

// stop ends the worker gracefully.
func (k *worker) stop() {
	k.t.Helper()
	k.cancel()
	<-k.done
	if k.err != nil {
		k.t.Fatalf("worker: %v", k.err)
	}
}

// content is what committed checkpoints say and their files hold.
type content struct {
	checkpoints []*lake.Checkpoint
	files       []lake.DataFile
	at          map[string]int // topic partition/offset → rows
	ids         map[int64]int  // event id → rows
	next        map[int32]int64
}

// read takes in topic chunks (read_committed) and every file, checking that each checkpoint fits on the one before.
func (w *world) read() (*content, error) {
	records, err := w.records(w.chunks)
	if err != nil {
		return nil, err
	}
	v, err := w.table.Load(w.t.Context())
	if err != nil {
		return nil, err
	}
	sources, err := v.Sources()
	if err != nil {
		return nil, err
	}
	c := &content{at: map[string]int{}, ids: map[int64]int{}, next: map[int32]int64{}}
	var position lake.Position
	for _, r := range records {
		cp, err := w.table.DecodeCheckpoint(w.t.Context(), r.Value)
		if err != nil {
			return nil, err
		}
		if took, err := position.Apply(cp, sources); err != nil || !took {
			w.t.Fatalf("checkpoint %s does not fit: %v", cp.ID, err)
		}
		c.checkpoints = append(c.checkpoints, cp)
		for _, s := range cp.Sources {
			c.next[s.Partition] = s.Next
		}
		for _, f := range cp.Files {
			c.files = append(c.files, f)
			if err := w.readFile(c, f); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (w *world) readFile(c *content, f lake.DataFile) error {
	body, _, err := w.store.Get(w.t.Context(), w.table.Key(f.Path))
	if err != nil {
		return err
	}
	if lake.Hash(body) != f.Hash || int64(len(body)) != f.Size {
		return fmt.Errorf("%s is not what was announced", f.Path)
	}
	r, err := parquet.Open(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return err
	}
	for b, err := range r.Batches(parquet.Query{}) {
		if err != nil {
			return err
		}
		for i := range b.EventID {
			c.at[fmt.Sprintf("%d/%d", b.Partition[i], b.Offset[i])]++
			c.ids[b.EventID[i]]++
			if !slices.ContainsFunc(r.Provenance().Sources, func(s parquet.SourceRange) bool {
				return s.TopicID != "" && s.Source == b.Source[i] && s.Partition == b.Partition[i] && s.From <= b.Offset[i] && b.Offset[i] < s.Next
			}) {
				return fmt.Errorf("%s: the footer does not say where partition %d offset %d comes from: %+v", f.Path, b.Partition[i], b.Offset[i], r.Provenance().Sources)
			}
			if int32(schemas.DayOf(b.Time[i])) != f.Day {
				return fmt.Errorf("%s: a row of another day", f.Path)
			}
		}
	}
	return nil
}

// records reads a topic from start to its last stable offset.
func (w *world) records(topic string) ([]*kgo.Record, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(testkit.Kafka(w.t)), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	ends, err := kadm.NewClient(c).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []*kgo.Record
	for len(left) > 0 {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read %s: %w", topic, ctx.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
		})
	}
	return all, nil
}

// want waits until the lake holds exactly the events once each, and nothing twice.
func (w *world) want(events int) *content {
	w.t.Helper()
	var got *content
	testkit.Eventually(w.t, patience, func() error {
		c, err := w.read()
		if err != nil {
			return err
		}
		got = c
		for at, n := range c.at {
			if n != 1 {
				w.t.Fatalf("record %s is stored %d times", at, n)
			}
		}
		if len(c.ids) != events {
			return fmt.Errorf("%d events in %d checkpoints, want %d", len(c.ids), len(c.checkpoints), events)
		}
		return nil
	})
	return got
}

// fault is a store that fails or waits on demand.
type fault struct {
	sink.Store
	fail  atomic.Bool
	puts  atomic.Int64
	gate  chan struct{} // if set, each Put waits for it to be closed
	after func(key string)
}

var errAway = errors.New("the store is away")

func (f *fault) Put(ctx context.Context, key string, body []byte) (objects.Info, error) {
	f.puts.Add(1)
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return objects.Info{}, ctx.Err()
		}
	}
	if f.fail.Load() {
		return objects.Info{}, errAway
	}
	info, err := f.Store.Put(ctx, key, body)
	if err == nil && f.after != nil {
		f.after(key)
	}
	return info, err
}

func paths(c *content) []string {
	var all []string
	for _, f := range c.files {
		all = append(all, f.Path)
	}
	slices.Sort(all)
	return all
}

func countDay(all []string, day string) (n int) {
	for _, p := range all {
		if strings.Contains(p, "day="+day+"/") {
			n++
		}
	}
	return n
}
