package resolver_test

import (
	"context"
	"fmt"
	"log/slog"
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
	config := resolver.Config{Client: w.client, Producer: w.producer, Topic: w.topic, DeadLetter: w.deadLetter, Every: 20 * time.Millisecond, Log: slog.Default()}
	if change != nil {
		change(&config)
	}
	r, err := resolver.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
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
	w.want("SELECT count() FROM state WHERE tupleElement(author, 'rank') = 0 SETTINGS force_index_by_date = 0", "1\n")
	w.want(queued, "0\n")
}
