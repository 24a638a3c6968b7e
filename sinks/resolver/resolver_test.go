package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/sinks/clickhouse"
	"github.com/coldstream/coldstream/sinks/resolver"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a topic, a database, the hot pipeline between them, and a resolver.
type world struct {
	t        testing.TB
	topic    string
	group    string
	client   *chhttp.Client
	producer *kgo.Client

	mu      sync.Mutex
	letters []schemas.DeadLetter
}

func newWorld(t testing.TB) *world {
	t.Helper()
	a := testkit.ClickHouse(t)
	w := &world{t: t, topic: testkit.Topic(t, 3, nil), group: testkit.Name(t), producer: testkit.KafkaClient(t)}
	var err error
	if w.client, err = chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.CloseIdle)
	if _, err := chschema.Migrate(t.Context(), w.client, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) deadLetter(_ context.Context, letters []schemas.DeadLetter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = append(w.letters, letters...)
	return nil
}

// start runs the hot pipeline and, if told, the resolver, until the returned function is called.
func (w *world) start(change func(*resolver.Config), withResolver bool) (stop func()) {
	w.t.Helper()
	sink, err := clickhouse.New(clickhouse.Config{Client: w.client, Epoch: schemas.DiscordEpoch, MaxAge: 20 * time.Millisecond, DeadLetter: w.deadLetter})
	if err != nil {
		w.t.Fatal(err)
	}
	pipeline, err := ingest.New(ingest.Config{
		Client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(w.t))}, Topics: []string{w.topic}, Group: w.group, Sink: sink,
		Decoder: func(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} }, Tick: 10 * time.Millisecond,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.resolver(change)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := pipeline.Run(ctx); err != nil {
			w.t.Errorf("pipeline: %v", err)
		}
	})
	if withResolver {
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				w.t.Errorf("resolver: %v", err)
			}
		})
	}
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); wg.Wait() }) }
	w.t.Cleanup(stop)
	return stop
}

func (w *world) resolver(change func(*resolver.Config)) *resolver.Resolver {
	w.t.Helper()
	config := resolver.Config{Client: w.client, Producer: w.producer, Topic: w.topic, DeadLetter: w.deadLetter, Every: 20 * time.Millisecond}
	if change != nil {
		change(&config)
	}
	r, err := resolver.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) publish(docs ...string) {
	w.t.Helper()
	for _, d := range docs {
		if err := w.producer.ProduceSync(w.t.Context(), &kgo.Record{Topic: w.topic, Value: []byte(d)}).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// want waits until a query's tab-separated answer is this.
func (w *world) want(query, answer string) {
	w.t.Helper()
	testkit.Eventually(w.t, 20*time.Second, func() error {
		got, err := w.client.Query(w.t.Context(), query)
		if err == nil && string(got) != answer {
			err = fmt.Errorf("%s: got %q, want %q", query, got, answer)
		}
		return err
	})
}

func (w *world) waiting() int64 {
	w.t.Helper()
	n, err := resolver.Waiting(w.t.Context(), w.client)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

const (
	created  = `{"event_id":"msg_abc123","channel_id":"xyz789","user_id":"u_456","content":"Hello world","timestamp":"2023-05-10T14:30:00Z","deleted":false}`
	removed  = `{"event_id":"del_abc123","target_message_id":"msg_abc123","timestamp":"2023-05-10T15:00:00Z"}`
	contents = "SELECT content FROM messages ORDER BY content"
	present  = "SELECT count() FROM messages_all WHERE deleted_at IS NOT NULL"
	queued   = "SELECT count() FROM unresolved FINAL WHERE status = 0"
)

func TestADeleteAfterItsMessage(t *testing.T) {
	w := newWorld(t)
	w.start(nil, true)
	w.publish(created)
	w.want(contents, "Hello world\n")
	w.publish(removed)
	w.want(contents, "")
	w.want(present, "1\n")
	w.want(queued, "0\n")
}

func TestADeleteBeforeItsMessageWaitsThroughARestart(t *testing.T) {
	w := newWorld(t)
	stop := w.start(nil, true)
	w.publish(removed)
	w.want(queued, "1\n")
	stop()
	w.start(nil, true)
	if n := w.waiting(); n != 1 {
		t.Fatalf("%d wait after the restart", n)
	}
	w.publish(created)
	w.want(present, "1\n")
	w.want(queued, "0\n")
	w.want(contents, "")
	w.publish(removed, created) // again: nothing changes
	w.want("SELECT count() FROM messages_all", "1\n")
	w.want(queued, "0\n")
}

// recent is a message with a Snowflake of September 2026.
const recent = `{"event_id":"1556000000000000001","channel_id":"5","user_id":"9","content":"first"}`

func TestWhatCanBeMissing(t *testing.T) {
	for name, c := range map[string]struct{ message, change, want string }{
		"an edit without a channel": {
			recent, `{"event_id":"1556000000000000009","type":"message.edited","target_message_id":"1556000000000000001","content":"second"}`, "second\t0\n",
		},
		"an edit of an opaque message, with its channel": {
			created, `{"event_id":"e-1","type":"message.edited","channel_id":"xyz789","target_message_id":"msg_abc123","content":"second","timestamp":"2023-05-10T15:00:00Z"}`, "second\t0\n",
		},
		"a decimal text that was a number all the same": {
			`{"event_id":"42","channel_id":"5","content":"first","timestamp":"2015-01-01T10:00:00Z"}`,
			`{"event_id":"e-2","target_message_id":"42","timestamp":"2023-05-10T15:00:00Z"}`, "first\t1\n",
		},
		"one of a bulk delete": {
			created, `{"event_id":"b-1","type":"message.bulk_deleted","message_ids":["msg_abc123"],"timestamp":"2023-05-10T15:00:00Z"}`, "Hello world\t1\n",
		},
	} {
		for order, docs := range map[string][]string{"after": {c.message, c.change}, "before": {c.change, c.message}} {
			t.Run(name+", "+order, func(t *testing.T) {
				w := newWorld(t)
				w.start(nil, true)
				w.publish(docs...)
				w.want("SELECT content, deleted_at IS NOT NULL FROM messages_all", c.want)
				w.want(queued, "0\n")
			})
		}
	}
}

func TestARestoreFindsItsMessageToo(t *testing.T) {
	w := newWorld(t)
	w.start(nil, true)
	w.publish(created, removed)
	w.want(present, "1\n")
	w.publish(`{"event_id":"r-1","type":"message.restored","target_message_id":"msg_abc123","timestamp":"2023-05-10T16:00:00Z"}`)
	w.want(contents, "Hello world\n")
}

func TestWhatIsNotFoundInTimeBecomesADeadLetter(t *testing.T) {
	w := newWorld(t)
	stop := w.start(nil, true)
	w.publish(removed)
	w.want(queued, "1\n")
	if len(w.letters) != 0 {
		t.Fatalf("%+v", w.letters)
	}
	stop()
	w.start(func(c *resolver.Config) { c.GiveUp = time.Nanosecond }, true)
	w.want(queued, "0\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.letters) != 1 || w.letters[0].Stage != "resolve" || w.letters[0].Topic != w.topic || w.letters[0].Offset != 0 ||
		!strings.Contains(w.letters[0].Error, `"msg_abc123" was not found`) || !strings.Contains(string(w.letters[0].Value), `"event_id":"del_abc123"`) {
		t.Fatalf("%+v", w.letters)
	}
}

// The time of a record is its producer's: an old log's edits and deletes wait as long as those of today.
func TestADeleteOfAnOldLogWaitsAsLongAsAny(t *testing.T) {
	w := newWorld(t)
	w.start(nil, false)
	old := &kgo.Record{Topic: w.topic, Value: []byte(removed), Timestamp: time.Date(2023, 5, 10, 15, 0, 0, 0, time.UTC)}
	if err := w.producer.ProduceSync(t.Context(), old).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.want("SELECT count(), max(seen) FROM unresolved", "1\t2023-05-10 15:00:00.000\n")
	r := w.resolver(nil)
	look := func(after time.Duration) (waiting int64) {
		if _, err := r.Step(t.Context(), time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
		return w.waiting()
	}
	const day = 24 * time.Hour
	if n := look(6 * day); n != 1 || len(w.letters) != 0 {
		t.Fatalf("after 6 days %d wait and there are the letters %+v", n, w.letters)
	}
	if n := look(8 * day); n != 0 || len(w.letters) != 1 || !w.letters[0].Time.Equal(old.Timestamp) {
		t.Fatalf("after 8 days %d wait and there are the letters %+v", n, w.letters)
	}
	// What was done with it is kept by the same clock.
	if err := w.client.Exec(t.Context(), "OPTIMIZE TABLE unresolved FINAL"); err != nil {
		t.Fatal(err)
	}
	w.want("SELECT status FROM unresolved FINAL", "2\n")
}

func TestATargetThatNamesTwoMessagesIsNotGuessed(t *testing.T) {
	w := newWorld(t)
	stop := w.start(nil, false)
	w.publish(created, strings.Replace(created, "xyz789", "another", 1), removed)
	w.want(queued, "1\n")
	w.want("SELECT count() FROM messages", "2\n")
	stop()
	r := w.resolver(nil)
	for range 2 {
		if n, err := r.Step(t.Context(), time.Now()); err != nil || n != 0 {
			t.Fatalf("%d completed, %v", n, err)
		}
	}
	if _, err := r.Step(t.Context(), time.Now().Add(8*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(w.letters) != 1 || !strings.Contains(w.letters[0].Error, "names 2 messages") {
		t.Fatalf("%+v", w.letters)
	}
}

// offline is a producer whose first records are lost on the way back: the broker has them, the resolver does not know.
type offline struct {
	resolver.Producer
	failures int
}

func (o *offline) ProduceSync(ctx context.Context, records ...*kgo.Record) kgo.ProduceResults {
	results := o.Producer.ProduceSync(ctx, records...)
	if o.failures--; o.failures >= 0 {
		for i := range results {
			results[i].Err = errors.New("connection reset")
		}
	}
	return results
}

func TestWhatWasPublishedTwiceCountsOnce(t *testing.T) {
	w := newWorld(t)
	w.start(nil, false)
	w.publish(created, removed)
	w.want(queued, "1\n")
	w.want(contents, "Hello world\n")
	r := w.resolver(func(c *resolver.Config) { c.Producer = &offline{c.Producer, 2} })
	for n := range 3 {
		testkit.Eventually(t, 10*time.Second, func() error { // a look only publishes when parts or the schedule say so
			_, err := r.Step(t.Context(), time.Now().Add(time.Duration(n)*time.Hour))
			if n < 2 && err == nil {
				return errors.New("no failure")
			}
			if n == 2 {
				return err
			}
			return nil
		})
	}
	w.want(queued, "0\n")
	w.want(present, "1\n")
	w.want("SELECT countDistinct(tupleElement(deleted, 'version')) FROM state WHERE tupleElement(deleted, 'rank') = 1", "1\n")
}
