package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
)

// fixture is a source topic of four partitions with a topic and a group of their own.
type fixture struct{ in, out, group string }

func newFixture(t *testing.T) fixture {
	t.Helper()
	return fixture{in: testkit.Topic(t, 4, nil), out: testkit.Topic(t, 1, nil), group: testkit.Name(t)}
}

// fill produces n records to the source, spread over its partitions.
func (f fixture) fill(t *testing.T, n int) {
	t.Helper()
	c := testkit.KafkaClient(t)
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: f.in, Key: []byte(strconv.Itoa(i)), Value: []byte("x")})
	}
	if err := c.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatalf("fill %s: %v", f.in, err)
	}
}

// committed is the sum of the group's committed offsets over all partitions.
func (f fixture) committed(t *testing.T) int64 {
	t.Helper()
	offsets, err := kadm.NewClient(testkit.KafkaClient(t)).FetchOffsets(t.Context(), f.group)
	if err != nil {
		t.Fatalf("fetch offsets of %s: %v", f.group, err)
	}
	var sum int64
	offsets.Each(func(o kadm.OffsetResponse) { sum += o.At })
	return sum
}

// visible reads what read_committed shows of a topic of one partition, up to its last stable offset as it is now.
func visible(t *testing.T, topic string) []string {
	t.Helper()
	c := testkit.KafkaClient(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	ends, err := kadm.NewClient(c).ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatalf("list end of %s: %v", topic, err)
	}
	end, _ := ends.Lookup(topic, 0)
	var values []string
	for position := int64(0); position < end.Offset; {
		fetches := c.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s: %v", topic, err)
		}
		for _, r := range fetches.Records() {
			position = r.Offset + 1
			if !r.Attrs.IsControl() {
				values = append(values, string(r.Value))
			}
		}
	}
	return values
}

// becomesVisible waits until read_committed shows exactly the records that shows accepts. Apache Kafka answers a commit
// before its markers are in the logs.
func becomesVisible(t *testing.T, topic string, shows func(values []string) bool) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		if values := visible(t, topic); !shows(values) {
			return fmt.Errorf("visible records: %q", values)
		}
		return nil
	})
}

// becomesCommitted waits until the group's committed offsets add up to want, for the same reason.
func (f fixture) becomesCommitted(t *testing.T, want int64) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := f.committed(t); got != want {
			return fmt.Errorf("committed offsets add up to %d, want %d", got, want)
		}
		return nil
	})
}

func TestCheckpointCommitsRecordAndOffsetsTogether(t *testing.T) {
	f := newFixture(t)
	f.fill(t, 100)
	w := openWorker(t, f.in, f.out, f.group, testkit.Name(t))
	w.pollUntil(t, 100)
	if got := visible(t, f.out); len(got) != 0 {
		t.Fatalf("before the checkpoint: %q", got)
	}
	if err := w.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	becomesVisible(t, f.out, func(values []string) bool { return len(values) == 1 })
	f.becomesCommitted(t, 100)
}

func TestCheckpointInsideARevoke(t *testing.T) {
	f := newFixture(t)
	f.fill(t, 100)
	first := openWorker(t, f.in, f.out, f.group, testkit.Name(t))
	first.pollUntil(t, 100)
	second := openWorker(t, f.in, f.out, f.group, testkit.Name(t))
	testkit.Eventually(t, 60*time.Second, func() error {
		first.poll(t.Context(), 100*time.Millisecond)
		second.poll(t.Context(), 100*time.Millisecond)
		first.mu.Lock()
		defer first.mu.Unlock()
		if len(first.revokes) == 0 {
			return errors.New("nothing was revoked from the first worker")
		}
		return nil
	})
	if err := first.revokes[0]; err != nil {
		t.Fatalf("checkpoint inside the revoke: %v", err)
	}
	f.becomesCommitted(t, 100)
	f.fill(t, 100)
	testkit.Eventually(t, 60*time.Second, func() error {
		for _, w := range []*worker{first, second} {
			w.poll(t.Context(), 100*time.Millisecond)
			if err := w.Checkpoint(t.Context()); err != nil && !errors.Is(err, kerr.RebalanceInProgress) && !errors.Is(err, kerr.IllegalGeneration) {
				t.Fatalf("checkpoint of %s: %v", w.txid, err)
			}
		}
		if got := f.committed(t); got != 200 {
			return fmt.Errorf("committed offsets add up to %d, want 200", got)
		}
		return nil
	})
}

func TestFencedZombieIsRefused(t *testing.T) {
	f := newFixture(t)
	f.fill(t, 10)
	txid := testkit.Name(t)
	zombie := openWorker(t, f.in, f.out, f.group, txid)
	zombie.pollUntil(t, 10)
	if err := zombie.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.fill(t, 10)
	zombie.pollUntil(t, 10)

	// Another process takes the transactional id.
	heir := testkit.KafkaClient(t, kgo.TransactionalID(txid))
	if err := heir.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := heir.ProduceSync(t.Context(), &kgo.Record{Topic: f.out, Value: []byte("heir")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := heir.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}

	err := zombie.Checkpoint(t.Context())
	if !errors.Is(err, kerr.InvalidProducerEpoch) && !errors.Is(err, kerr.ProducerFenced) {
		t.Fatalf("zombie's checkpoint: %v, want it fenced", err)
	}
	t.Logf("the zombie was told: %v", err)
	becomesVisible(t, f.out, func(values []string) bool { return len(values) == 2 && values[1] == "heir" })
	f.becomesCommitted(t, 10) // those from before the fence
}

func TestOpenAndAbortedTransactionsAreHidden(t *testing.T) {
	out := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(out))
	for i, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := c.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint("record ", i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if got := visible(t, out); len(got) != 0 {
			t.Fatalf("open transaction %d shows %q", i, got)
		}
		if err := c.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	becomesVisible(t, out, func(values []string) bool { return slices.Equal(values, []string{"record 1"}) })
}

func TestLastStableOffsetStopsAtAnOpenTransaction(t *testing.T) {
	out := testkit.Topic(t, 1, nil)
	plain := testkit.KafkaClient(t, kgo.DefaultProduceTopic(out))
	c := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(out))
	if err := plain.ProduceSync(t.Context(), kgo.StringRecord("before")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord("inside")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := plain.ProduceSync(t.Context(), kgo.StringRecord("after")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(plain)
	stable, err := adm.ListCommittedOffsets(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	end, err := adm.ListEndOffsets(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if s, e := at(stable, out), at(end, out); s != 1 || e != 3 {
		t.Fatalf("last stable offset %d and end %d, want 1 and 3", s, e)
	}
	if got := visible(t, out); len(got) != 1 || got[0] != "before" {
		t.Fatalf("visible records: %q", got)
	}
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	becomesVisible(t, out, func(values []string) bool { return len(values) == 3 })
}

func at(offsets kadm.ListedOffsets, topic string) int64 {
	o, _ := offsets.Lookup(topic, 0)
	return o.Offset
}

func TestStableOffsetFetchWaitsForOpenTransactions(t *testing.T) {
	f := newFixture(t)
	f.fill(t, 10)
	w := openWorker(t, f.in, f.out, f.group, testkit.Name(t))
	w.pollUntil(t, 10)
	if err := w.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(t.Context(), &kgo.Record{Topic: f.out, Value: []byte("open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.commitOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.fetchStable(t); !errors.Is(err, kerr.UnstableOffsetCommit) {
		t.Fatalf("stable fetch during the transaction: %v, want UNSTABLE_OFFSET_COMMIT", err)
	}
	if err := w.client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, func() error { return w.fetchStable(t) })
	f.becomesCommitted(t, 10)
}

func TestOffsetsOfAStaleMemberAreRefused(t *testing.T) {
	f := newFixture(t)
	f.fill(t, 10)
	w := openWorker(t, f.in, f.out, f.group, testkit.Name(t))
	w.pollUntil(t, 10)
	if err := w.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(t.Context(), &kgo.Record{Topic: f.out, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.commitOffsets(t.Context()); err != nil { // also adds the group to the transaction
		t.Fatal(err)
	}
	pid, epoch, err := w.client.ProducerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	member, generation := w.client.GroupMetadata()
	if err := w.txnOffsetCommit(t.Context(), pid, epoch, member, generation-1); !errors.Is(err, kerr.IllegalGeneration) {
		t.Errorf("last generation: %v, want ILLEGAL_GENERATION", err)
	}
	if err := w.txnOffsetCommit(t.Context(), pid, epoch, "stranger", generation); !errors.Is(err, kerr.UnknownMemberID) {
		t.Errorf("unknown member: %v, want UNKNOWN_MEMBER_ID", err)
	}
	if err := w.client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if got := f.committed(t); got != 0 {
		t.Errorf("committed offsets add up to %d after the abort, want none", got)
	}
}

func TestBrokerAbortsATransactionThatTakesTooLong(t *testing.T) {
	out := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.TransactionTimeout(time.Second), kgo.DefaultProduceTopic(out))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord("hanging")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(testkit.KafkaClient(t))
	testkit.Eventually(t, 30*time.Second, func() error {
		stable, err := adm.ListCommittedOffsets(t.Context(), out)
		if err != nil {
			return err
		}
		if at(stable, out) != 2 {
			return fmt.Errorf("last stable offset %d, want 2: the record and its abort marker", at(stable, out))
		}
		return nil
	})
	if got := visible(t, out); len(got) != 0 {
		t.Fatalf("visible records: %q, want none", got)
	}
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err == nil {
		t.Fatal("the late commit succeeded")
	}
}
