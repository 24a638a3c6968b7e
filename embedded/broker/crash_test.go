package broker_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
)

// dial opens a client of a broker outside testkit; it is closed with the test.
func dial(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func create(t *testing.T, addr, topic string, partitions int32) {
	t.Helper()
	if _, err := kadm.NewClient(dial(t, addr)).CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatalf("create topic %s: %v", topic, err)
	}
}

// ends are last stable offset and end of partition 0.
func ends(t *testing.T, addr, topic string) (stable, end int64) {
	t.Helper()
	adm := kadm.NewClient(dial(t, addr))
	s, err := adm.ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	e, err := adm.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return at(s, topic), at(e, topic)
}

// values reads partition 0 of a topic from its start to its last stable offset, as read_committed shows it.
func values(t *testing.T, addr, topic string) []string {
	t.Helper()
	stable, _ := ends(t, addr, topic)
	c := dial(t, addr, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got []string
	for position := int64(0); position < stable; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s at %d of %d: %v", topic, position, stable, err)
		}
		for _, r := range fetches.Records() {
			position = r.Offset + 1
			if !r.Attrs.IsControl() {
				got = append(got, string(r.Value))
			}
		}
	}
	return got
}

// pump produces numbers until it is stopped and remembers which the broker acknowledged.
type pump struct {
	sent         int64
	promises     sync.WaitGroup // records whose fate is not known yet
	mu           sync.Mutex
	acknowledged []string
}

func (p *pump) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acknowledged)
}

// run produces with a client of its own until ctx ends.
func (p *pump) run(ctx context.Context, producer *kgo.Client) {
	for ctx.Err() == nil {
		p.sent++
		p.promises.Add(1)
		producer.Produce(ctx, kgo.StringRecord(strconv.FormatInt(p.sent, 10)), func(r *kgo.Record, err error) {
			defer p.promises.Done()
			if err != nil {
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.acknowledged = append(p.acknowledged, string(r.Value))
		})
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "events", 1)
	var p pump
	for round := range 4 {
		producer := dial(t, b.addr, kgo.DefaultProduceTopic("events"), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(50))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { p.run(ctx, producer) })
		before := p.count()
		testkit.Eventually(t, 20*time.Second, func() error {
			if n := p.count() - before; n < 500 {
				return fmt.Errorf("round %d: %d records acknowledged", round, n)
			}
			return nil
		})
		b.kill()
		stop()
		running.Wait()
		producer.Close()
		p.promises.Wait()              // the client calls them on a goroutine of its own, and Close does not wait for that
		b = startChild(t, dir, b.addr) // the address is free again at once
	}
	stored := values(t, b.addr, "events")
	seen := map[string]bool{}
	for _, value := range stored {
		if seen[value] {
			t.Errorf("record %s is stored twice", value)
		}
		seen[value] = true
	}
	for _, value := range p.acknowledged {
		if !seen[value] {
			t.Errorf("record %s was acknowledged and is lost", value)
		}
	}
	t.Logf("%d sent, %d acknowledged, %d stored", p.sent, len(p.acknowledged), len(stored))
}

func TestIdentitySurvivesStopAndKill(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "events", 3)
	identity := func() string {
		meta, err := kadm.NewClient(dial(t, b.addr)).Metadata(t.Context(), "events")
		if err != nil {
			t.Fatal(err)
		}
		node := meta.Brokers[0]
		return fmt.Sprintf("cluster %s, topic %s, %d partitions, broker %d at %s:%d",
			meta.Cluster, meta.Topics["events"].ID, len(meta.Topics["events"].Partitions), node.NodeID, node.Host, node.Port)
	}
	first := identity()
	for _, end := range []func(){func() { b.stop(t) }, func() { b.kill() }, func() { b.kill() }} {
		end()
		b = startChild(t, dir, b.addr)
		if got := identity(); got != first {
			t.Fatalf("after a restart: %s, before: %s", got, first)
		}
	}
	other := startChild(t, t.TempDir(), "127.0.0.1:0")
	meta, err := kadm.NewClient(dial(t, other.addr)).BrokerMetadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first[len("cluster "):len("cluster ")+len(meta.Cluster)] == meta.Cluster {
		t.Errorf("two data folders share cluster id %s", meta.Cluster)
	}
}

func TestTransactionsAndOffsetsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "chunks", 1)
	txn := dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("chunks"))
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		begin(t, txn, fmt.Sprintf("ended with commit=%v", end == kgo.TryCommit))
		if err := txn.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("chunks", 0, 1, -1)
	if err := kadm.NewClient(dial(t, b.addr)).CommitAllOffsets(t.Context(), "committer", offsets); err != nil {
		t.Fatal(err)
	}
	begin(t, txn, "open at the kill")
	b.kill()
	b = startChild(t, dir, b.addr)

	if got := values(t, b.addr, "chunks"); len(got) != 1 || got[0] != "ended with commit=true" {
		t.Fatalf("visible after the kill: %q", got)
	}
	if stable, end := ends(t, b.addr, "chunks"); stable != end {
		t.Errorf("last stable offset %d, end %d: a dead transaction still holds readers up", stable, end)
	}
	committed, err := kadm.NewClient(dial(t, b.addr)).FetchOffsets(t.Context(), "committer")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := committed.Lookup("chunks", 0); !ok || o.At != 1 {
		t.Errorf("committed offset %v, want 1", o.At)
	}
	if err := txn.EndTransaction(t.Context(), kgo.TryCommit); err == nil {
		t.Error("the transaction that was open at the kill could be committed afterwards")
	}
	heir := dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("chunks"))
	begin(t, heir, "after")
	if err := heir.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := values(t, b.addr, "chunks"); len(got) != 2 || got[1] != "after" {
		t.Fatalf("visible at the end: %q", got)
	}
}

// begin opens a transaction with one record in it.
func begin(t *testing.T, c *kgo.Client, value string) {
	t.Helper()
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// A transaction open at an orderly stop is carried over the restart; a kill after that must not leave it open for ever.
func TestStopThenKillLeavesNoTransactionOpen(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "chunks", 1)
	txn := dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("chunks"))
	begin(t, txn, "open at the stop")
	b.stop(t)
	b = startChild(t, dir, b.addr)
	b.kill()
	b = startChild(t, dir, b.addr)
	if stable, end := ends(t, b.addr, "chunks"); stable != end {
		t.Fatalf("last stable offset %d, end %d: a dead transaction still holds readers up", stable, end)
	}
	if got := values(t, b.addr, "chunks"); len(got) != 0 {
		t.Fatalf("visible: %q, want none of an unfinished transaction", got)
	}
}

// What kfake saves about producers at an orderly stop is stale after a later crash.
func TestProducerGoesOnAfterStopAndKill(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "events", 1)
	producer := dial(t, b.addr, kgo.DefaultProduceTopic("events"), kgo.StopProducerOnDataLossDetected())
	var want []string
	send := func(n int) {
		for range n {
			value := strconv.Itoa(len(want))
			if err := producer.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
				t.Fatalf("record %s: %v", value, err)
			}
			want = append(want, value)
		}
	}
	send(10)
	b.stop(t)
	b = startChild(t, dir, b.addr)
	send(10)
	b.kill()
	b = startChild(t, dir, b.addr)
	send(10)
	if got := values(t, b.addr, "events"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// deafConn drops what the broker says while deaf is set.
type deafConn struct {
	net.Conn
	deaf *atomic.Bool
}

func (c deafConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.deaf.Load() {
			return n, err
		}
	}
}

// A batch whose answer was lost in a kill is sent again by its producer. It must not be stored twice.
func TestRetryOfAStoredBatchIsNotStoredAgain(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "events", 1)
	var deaf atomic.Bool
	dialer := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return deafConn{conn, &deaf}, err
	}
	producer := dial(t, b.addr, kgo.DefaultProduceTopic("events"), kgo.Dialer(dialer), kgo.StopProducerOnDataLossDetected())
	if err := producer.ProduceSync(t.Context(), kgo.StringRecord("answered")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	deaf.Store(true)
	result := make(chan error, 1)
	producer.Produce(t.Context(), kgo.StringRecord("stored, answer lost"), func(_ *kgo.Record, err error) { result <- err })
	testkit.Eventually(t, 20*time.Second, func() error {
		if _, end := ends(t, b.addr, "events"); end != 2 {
			return fmt.Errorf("the log ends at %d", end)
		}
		return nil
	})
	b.kill()
	deaf.Store(false)
	b = startChild(t, dir, b.addr)
	if err := <-result; err != nil {
		t.Fatalf("the retry: %v", err)
	}
	if err := producer.ProduceSync(t.Context(), kgo.StringRecord("next")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := values(t, b.addr, "events"); !slices.Equal(got, []string{"answered", "stored, answer lost", "next"}) {
		t.Fatalf("the log holds %q", got)
	}
}
