package broker

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// perSegment is how many of fill's records a segment takes.
	perSegment = 4
	// filledSegment is a little more than the bytes of such a segment.
	filledSegment = segmentBytes + 4096
)

// capped starts a broker that keeps segments full segments and makes its rounds when told.
func capped(t *testing.T, segments int64) *Broker {
	t.Helper()
	cfg := idle(t.TempDir())
	cfg.MaxBytes = segments * filledSegment
	return settled(startWith(t, cfg))
}

// settled ends the time after the start in which the cap drops nothing.
func settled(b *Broker) *Broker {
	b.upkeep.mu.Lock()
	defer b.upkeep.mu.Unlock()
	b.upkeep.capFrom = time.Time{}
	return b
}

// large are the settings of a topic that takes fill's records, and pairs.
func large(pairs ...string) map[string]*string {
	return settings(append(pairs, "max.message.bytes", "8388608")...)
}

// fill appends whole segments to partition 0 of a topic.
func fill(t *testing.T, b *Broker, topic string, segments int) {
	t.Helper()
	c := client(t, b, kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	for range segments * perSegment {
		r := &kgo.Record{Topic: topic, Value: make([]byte, 4<<20)}
		if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// commit sets where a group stands in partition 0 of events.
func commit(t *testing.T, b *Broker, group string, at int64) {
	t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset("events", 0, at, -1)
	committed, err := kadm.NewClient(client(t, b)).CommitOffsets(t.Context(), group, offsets)
	if err = errors.Join(err, committed.Error()); err != nil {
		t.Fatal(err)
	}
}

// tryProduce sends one record without a second try.
func tryProduce(t *testing.T, b *Broker, topic string) error {
	t.Helper()
	c := client(t, b, kgo.RecordRetries(0), kgo.DisableIdempotentWrite())
	return c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
}

func wantStart(t *testing.T, b *Broker, topic string, want int64, why string) {
	t.Helper()
	if start, end := bounds(t, b, topic); start != want {
		t.Errorf("%s is [%d, %d), want it to start at %d: %s", topic, start, end, want, why)
	}
}

func TestCapDropsTheOldestOfLimitedTopicsOnly(t *testing.T) {
	b := capped(t, 3)
	createTopic(t, b, 1, large(), "events")
	createTopic(t, b, 1, large("retention.ms", "-1"), "chunks")
	fill(t, b, "chunks", 3)
	fill(t, b, "events", 3)
	round(t, b, 0)
	wantStart(t, b, "chunks", 0, "kept for ever")
	wantStart(t, b, "events", 2*perSegment, "over the cap, and nobody reads it")
}

func TestCapKeepsWhatAGroupHasYetToRead(t *testing.T) {
	b := capped(t, 1)
	createTopic(t, b, 1, large(), "events")
	fill(t, b, "events", 4)
	commit(t, b, "cold", 2*perSegment+1)
	commit(t, b, "hot", 1)
	round(t, b, 0)
	wantStart(t, b, "events", 0, "group hot stands in the first segment")
	commit(t, b, "hot", 3*perSegment)
	round(t, b, 0)
	wantStart(t, b, "events", perSegment, "one segment that was read is within the cap, two are not")
	if _, err := kadm.NewClient(client(t, b)).DeleteGroups(t.Context(), "cold"); err != nil {
		t.Fatal(err)
	}
	commit(t, b, "hot", 4*perSegment)
	round(t, b, 0)
	wantStart(t, b, "events", 3*perSegment, "the group that stood before is gone")
}

func TestUnreadRecordsDoNotPushOutThoseWithoutReaders(t *testing.T) {
	b := capped(t, 3)
	createTopic(t, b, 1, large(), "events")
	createTopic(t, b, 1, large(), "dlq")
	commit(t, b, "cold", 0)
	fill(t, b, "dlq", 2)
	fill(t, b, "events", 3)
	round(t, b, 0)
	wantStart(t, b, "dlq", 0, "what is unread does not count")
	commit(t, b, "cold", 3*perSegment)
	round(t, b, 0)
	wantStart(t, b, "dlq", 0, "what was read goes first")
	wantStart(t, b, "events", 2*perSegment, "what was read goes first")
}

func TestMembersWithoutACommitHoldEverything(t *testing.T) {
	b := capped(t, 1)
	createTopic(t, b, 1, large("retention.ms", "60000"), "events")
	fill(t, b, "events", 3)
	reader := client(t, b, kgo.ConsumerGroup("cold"), kgo.ConsumeTopics("events"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err := reader.PollRecords(t.Context(), 1).Err(); err != nil {
		t.Fatal(err)
	}
	round(t, b, 0)
	round(t, b, time.Hour)
	wantStart(t, b, "events", 0, "a member has committed nothing yet")
	reader.Close()
	round(t, b, time.Hour)
	wantStart(t, b, "events", 0, "the member left and may come again")
}

func TestRetentionKeepsWhatAGroupHasYetToRead(t *testing.T) {
	b := startWith(t, idle(t.TempDir()))
	createTopic(t, b, 1, settings("retention.ms", "60000"), "events")
	produce(t, b, "events", "one", "two", "three")
	commit(t, b, "cold", 2)
	round(t, b, 0)
	round(t, b, time.Hour)
	wantStart(t, b, "events", 2, "the third record is unread")
	commit(t, b, "cold", 3)
	round(t, b, time.Hour)
	wantStart(t, b, "events", 3, "everything is read and old")
}

func TestCapWaitsAfterAStart(t *testing.T) {
	cfg := idle(t.TempDir())
	cfg.MaxBytes = filledSegment
	b := startWith(t, cfg)
	createTopic(t, b, 1, large(), "events")
	fill(t, b, "events", 3)
	round(t, b, 0)
	wantStart(t, b, "events", 0, "groups may be joining yet")
	round(t, b, 2*capGrace)
	wantStart(t, b, "events", 2*perSegment, "no group came")
}

// Producers wait while groups are too far behind, and lose nothing by it.
func TestProducersWaitForGroupsThatAreBehind(t *testing.T) {
	var log bytes.Buffer
	cfg := idle(t.TempDir())
	cfg.MaxBytes, cfg.Log = filledSegment, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b := settled(startWith(t, cfg))
	createTopic(t, b, 1, large(), "events")
	createTopic(t, b, 1, nil, "dlq")
	commit(t, b, "cold", 0)
	fill(t, b, "events", 2)
	look(t, b)
	if err := tryProduce(t, b, "events"); err != nil {
		t.Fatalf("refused with two segments unread of three: %v", err)
	}
	fill(t, b, "events", 2)
	look(t, b)
	look(t, b)
	if err := tryProduce(t, b, "events"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("produce over the bound: %v, want KAFKA_STORAGE_ERROR", err)
	}
	if err := tryProduce(t, b, "dlq"); err != nil {
		t.Errorf("a topic without readers is refused too: %v", err)
	}
	if n := strings.Count(log.String(), "producers have to wait"); n != 1 || !strings.Contains(log.String(), "slowest_group=cold") {
		t.Errorf("logged %d times, want once and with the group:\n%s", n, &log)
	}
	_, end := bounds(t, b, "events")
	refused := b.upkeep.refusing.faults
	before := refused.Hits()
	retrying := client(t, b, kgo.MetadataMinAge(100*time.Millisecond))
	waiting := make(chan error, 1)
	go func() {
		r := &kgo.Record{Topic: "events", Value: []byte("waited")}
		waiting <- retrying.ProduceSync(t.Context(), r).FirstErr()
	}()
	if err := refused.Wait(t.Context(), before+2); err != nil {
		t.Fatal(err)
	}
	commit(t, b, "cold", end)
	look(t, b)
	if err := <-waiting; err != nil {
		t.Fatalf("a producer that waited: %v", err)
	}
	if _, now := bounds(t, b, "events"); now != end+1 {
		t.Errorf("log ends at %d after one more record, want %d", now, end+1)
	}
	wantStart(t, b, "events", 3*perSegment+1, "all but the last segment is over the cap and read")
}

// A pipeline commits what it has read by transactions: refusing them would never end.
func TestTransactionsAreNotRefused(t *testing.T) {
	b := capped(t, 1)
	createTopic(t, b, 1, large(), "events")
	commit(t, b, "cold", 0)
	fill(t, b, "events", 4)
	look(t, b)
	if err := tryProduce(t, b, "events"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("produce over the bound: %v, want KAFKA_STORAGE_ERROR", err)
	}
	c := client(t, b, kgo.TransactionalID("worker"))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "events", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

func TestProducersWaitForFreeDisk(t *testing.T) {
	b := capped(t, 100)
	createTopic(t, b, 1, large(), "events")
	fill(t, b, "events", 3)
	commit(t, b, "cold", perSegment)
	setFree := func(free int64) {
		b.upkeep.mu.Lock()
		defer b.upkeep.mu.Unlock()
		b.upkeep.free = func(string) (int64, error) { return free, nil }
	}
	setFree(minFreeBytes - 1)
	look(t, b)
	if err := tryProduce(t, b, "events"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("produce to a full disk: %v, want KAFKA_STORAGE_ERROR", err)
	}
	wantStart(t, b, "events", perSegment, "what was read makes room, the rest is unread")
	setFree(minFreeBytes)
	look(t, b)
	if err := tryProduce(t, b, "events"); err != nil {
		t.Fatalf("refused though the disk has room again: %v", err)
	}
}

func TestNamedReadersAloneHaveASay(t *testing.T) {
	cfg := idle(t.TempDir())
	cfg.MaxBytes = filledSegment
	cfg.Readers = map[string][]string{"events": {"cold"}}
	b := settled(startWith(t, cfg))
	createTopic(t, b, 1, large(), "events")
	fill(t, b, "events", 3)
	round(t, b, 0)
	wantStart(t, b, "events", 0, "cold has not even joined yet")
	commit(t, b, "a tool that somebody tried", 0)
	commit(t, b, "cold", 2*perSegment)
	round(t, b, 0)
	wantStart(t, b, "events", perSegment, "another group holds nothing, and one segment that was read is within the cap")
}
