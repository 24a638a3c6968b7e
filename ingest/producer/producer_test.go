package producer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

func open(t testing.TB, cfg producer.Config) *producer.Producer {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p.Close(ctx)
	})
	return p
}

// read returns the next n records of a topic.
func read(t testing.TB, seed, topic string, n int) []*kgo.Record {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(seed), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []*kgo.Record
	for len(got) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records: %v", len(got), n, err)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}

func created(channel, text string) schemas.Event {
	return schemas.Event{Type: "message.created", ChannelID: channel, UserID: "7", Content: text, HasContent: true}
}

func TestPublishMakesIDsAndKeysByChannel(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 4, nil)
	p := open(t, producer.Config{Brokers: []string{seed}, Topic: topic, Worker: 3, Process: 4})
	if err := p.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Second)
	const n = 200
	for i := range n {
		if err := p.Publish(t.Context(), created(fmt.Sprint(100+i%5), fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := p.Counts(); c.Records != n || c.Acked != n || c.Buffered != 0 || c.Failed != 0 {
		t.Fatalf("counts %+v", c)
	}
	partitions, ids, last := map[string]int32{}, map[int64]bool{}, map[string]int64{}
	decoder, b := codec.JSON{Epoch: schemas.DiscordEpoch}, schemas.GetBatch()
	defer b.Release()
	for i, r := range read(t, seed, topic, n) {
		if err := decoder.Decode(b, r.Value, codec.Origin{Time: r.Timestamp.UnixMicro()}); err != nil {
			t.Fatalf("%s: %v", r.Value, err)
		}
		e, key := b.Event(i), string(r.Key)
		if key != e.ChannelID {
			t.Fatalf("key %q of channel %s", key, e.ChannelID)
		}
		if old, seen := partitions[key]; seen && old != r.Partition {
			t.Fatalf("channel %s in partitions %d and %d", key, old, r.Partition)
		}
		partitions[key] = r.Partition
		parts := schemas.DiscordEpoch.Parts(b.EventID[i])
		if ids[parts.ID] || parts.ID <= last[key] || parts.Worker != 3 || parts.Process != 4 || parts.Time.Before(before) {
			t.Fatalf("id %+v after %d", parts, last[key])
		}
		ids[parts.ID], last[key] = true, parts.ID
	}
}

func TestRecordsOfOldEventsCarryTheTimeOfPublication(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	p := open(t, producer.Config{Brokers: []string{seed}, Topic: topic})
	e := created("1", "long ago")
	e.EventID, e.Time = "irc/ubuntu/2004.txt:1", time.Date(2004, 11, 15, 3, 0, 0, 0, time.UTC)
	if err := p.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	r := read(t, seed, topic, 1)[0]
	if age := time.Since(r.Timestamp); age > time.Hour || age < -time.Hour {
		t.Fatalf("record time %v", r.Timestamp)
	}
}

func TestPublishRefusesWhatThePipelineWould(t *testing.T) {
	p := open(t, producer.Config{Brokers: []string{"127.0.0.1:1"}, Topic: "events"})
	var refusal *schemas.Refusal
	e := created("", "nowhere")
	if err := p.Publish(t.Context(), e); !errors.As(err, &refusal) || refusal.Code != "incomplete" {
		t.Fatalf("an event without a channel: %v", err)
	}
	e = created("1", "when?")
	e.EventID = "msg_1"
	if err := p.Publish(t.Context(), e); !errors.As(err, &refusal) || refusal.Code != "timestamp" {
		t.Fatalf("an opaque event without a time: %v", err)
	}
	if err := p.PublishRaw(t.Context(), nil, make([]byte, producer.MaxRecord+1)); !errors.Is(err, producer.ErrTooLarge) {
		t.Fatalf("a record of 8 MiB: %v", err)
	}
	if c := p.Counts(); c.Records != 0 {
		t.Fatalf("%d records taken", c.Records)
	}
}

func TestPingNamesTheMissingTopic(t *testing.T) {
	p := open(t, producer.Config{Brokers: []string{testkit.Kafka(t)}, Topic: testkit.Name(t)})
	if err := p.Ping(t.Context()); !errors.Is(err, producer.ErrNoTopic) {
		t.Fatalf("ping: %v", err)
	}
}

func TestConfigReportsEveryMistake(t *testing.T) {
	_, err := producer.New(producer.Config{Worker: 32, MaxBuffered: 1})
	for _, want := range []string{"no brokers", "no topic", "worker 32", "buffer of 1 bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func TestKeyIsChannelElseTargetElseEvent(t *testing.T) {
	for want, e := range map[string]schemas.Event{
		"c": {EventID: "e", ChannelID: "c", MessageID: "m", Type: "message.edited"},
		"m": {EventID: "e", MessageID: "m", Type: "message.deleted"},
		"e": {EventID: "e"},
	} {
		if got := string(producer.Key(&e)); got != want {
			t.Errorf("key %q, want %q", got, want)
		}
	}
}

// outage is a network that can be cut.
type outage struct {
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (o *outage) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return nil, errors.New("the network is cut")
	}
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		o.conns = append(o.conns, c)
	}
	return c, err
}

func (o *outage) set(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
	if down {
		for _, c := range o.conns {
			c.Close()
		}
		o.conns = nil
	}
}

// lines is a log that a test can read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(want string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.Contains(l.text.String(), want) {
		return fmt.Errorf("%q is missing in the log: %s", want, l.text.String())
	}
	return nil
}

func TestPublishingGoesOnWhenTheBrokerAnswersAgain(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 2, nil)
	var net outage
	var log lines
	p := open(t, producer.Config{
		Brokers: []string{seed}, Topic: topic, WarnEvery: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&log, nil)), Client: []kgo.Opt{kgo.Dialer(net.dial)},
	})
	const n = 3000
	for i := range n {
		if i == n/3 {
			net.set(true)
		}
		if err := p.Publish(t.Context(), created(fmt.Sprint(1+i%7), fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if i == n/2 {
			testkit.Eventually(t, 10*time.Second, func() error { return log.has("the network is cut") })
			net.set(false)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range read(t, seed, topic, n) {
		seen[string(r.Value)] = true
	}
	if len(seen) != n {
		t.Fatalf("%d of %d records", len(seen), n)
	}
	testkit.Eventually(t, 10*time.Second, func() error { return log.has("answers again") })
}

func TestAFullBufferHoldsTheCallerBack(t *testing.T) {
	p := open(t, producer.Config{Brokers: []string{"127.0.0.1:1"}, Topic: "events", MaxBuffered: producer.MaxRecord})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	value := make([]byte, producer.MaxRecord/2)
	var err error
	for n := 0; err == nil; n++ {
		if err = p.PublishRaw(ctx, nil, value); n > 3 {
			t.Fatal("the buffer has no bound")
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("publish: %v", err)
	}
	if err := p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("flush: %v", err)
	}
	if err := p.Close(ctx); err == nil {
		t.Fatal("close says nothing of the record that it gave up")
	}
	testkit.Eventually(t, 10*time.Second, func() error { // the client lets go of the record in its own time
		if c := p.Counts(); c.Failed != 1 || c.Buffered != 0 {
			return fmt.Errorf("counts %+v", c)
		}
		return nil
	})
}

// TestABrokerThatForgetsProducersLosesNothing lets a broker refuse batches as one does that has lost its producer state.
func TestABrokerThatForgetsProducersLosesNothing(t *testing.T) {
	for _, forgotten := range []*kerr.Error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.NotLeaderForPartition, kerr.KafkaStorageError} {
		t.Run(forgotten.Message, func(t *testing.T) {
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events"))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			var mu sync.Mutex
			refusals, requests := 4, 0
			cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
				cluster.KeepControl()
				mu.Lock()
				defer mu.Unlock()
				if requests++; requests%2 == 0 || refusals == 0 {
					return nil, nil, false
				}
				refusals--
				return refuseProduce(req.(*kmsg.ProduceRequest), forgotten.Code), nil, true
			})
			seed := cluster.ListenAddrs()[0]
			p := open(t, producer.Config{Brokers: []string{seed}, Topic: "events", WarnEvery: 50 * time.Millisecond})
			const n = 50
			var want []string
			for i := range n {
				text := fmt.Sprint(i)
				want = append(want, text)
				if err := p.PublishRaw(t.Context(), []byte("k"), []byte(text)); err != nil {
					t.Fatal(err)
				}
				if i%10 == 9 {
					if err := p.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			var got []string
			for _, r := range read(t, seed, "events", n) {
				got = append(got, string(r.Value))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("read %v", got)
			}
		})
	}
}

func refuseProduce(req *kmsg.ProduceRequest, code int16) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = partition.Partition, code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func TestAPermanentRefusalIsTheErrorOfTheNextCall(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, map[string]string{"max.message.bytes": "2000"})
	p := open(t, producer.Config{Brokers: []string{seed}, Topic: topic, Client: []kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())}})
	if err := p.PublishRaw(t.Context(), nil, make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); !errors.Is(err, kerr.MessageTooLarge) {
		t.Fatalf("flush: %v", err)
	}
	if err := p.PublishRaw(t.Context(), nil, []byte("{}")); !errors.Is(err, kerr.MessageTooLarge) {
		t.Fatalf("publish after it: %v", err)
	}
}

func TestALargeRecordKeepsItsPlace(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, map[string]string{"max.message.bytes": "8388608"})
	p := open(t, producer.Config{Brokers: []string{seed}, Topic: topic})
	sizes := []int{10, 2_000_000, 20, 998_975, 998_976, 30, producer.MaxRecord, 40}
	for _, n := range sizes {
		if err := p.PublishRaw(t.Context(), nil, bytes.Repeat([]byte{'x'}, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, r := range read(t, seed, topic, len(sizes)) {
		if len(r.Value) != sizes[i] {
			t.Errorf("record %d has %d bytes, want %d", i, len(r.Value), sizes[i])
		}
	}
}

// TestABacklogFitsAnyTopic: batches of what has piled up must not outgrow a topic's default limit.
func TestABacklogFitsAnyTopic(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	p := open(t, producer.Config{Brokers: []string{seed}, Topic: topic, Client: []kgo.Opt{kgo.ProducerLinger(time.Second)}})
	random, n := rand.NewChaCha8([32]byte{}), 5000
	for range n {
		value := make([]byte, 1000)
		random.Read(value) // does not compress
		if err := p.PublishRaw(t.Context(), nil, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil || p.Counts().Acked != int64(n) {
		t.Fatalf("%+v, %v", p.Counts(), err)
	}
}
