package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	engine "github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// worker runs a hot pipeline until the returned function is called.
func worker(t testing.TB, client *chhttp.Client, topic, group string) (stop func()) {
	t.Helper()
	sink, err := clickhouse.New(clickhouse.Config{
		Client: client, Epoch: schemas.DiscordEpoch, MaxRows: 100, MaxAge: 5 * time.Millisecond, Backoff: 5 * time.Millisecond,
		MaxBackoff: 50 * time.Millisecond, Timeout: 5 * time.Second,
		DeadLetter: func(_ context.Context, letters []schemas.DeadLetter) error {
			t.Errorf("dead letters: %+v", letters)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ingest.New(ingest.Config{
		Client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, Topics: []string{topic}, Group: group, Sink: sink, MaxPoll: 70,
		Decoder: func(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} }, Tick: 5 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler), CloseTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			t.Errorf("pipeline: %v", err)
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(stop)
	return stop
}

// publish sends n creations, each twice.
func publish(t testing.TB, topic string, from, n int) {
	t.Helper()
	client := testkit.KafkaClient(t)
	var records []*kgo.Record
	for i := from; i < from+n; i++ {
		at := 1_790_000_000_000 + i
		doc := fmt.Sprintf(`{"event_id":"m-%d","channel_id":"%d","content":"text %d","timestamp":%d}`, i, i%7, i, at)
		records = append(records, &kgo.Record{Topic: topic, Key: fmt.Append(nil, i%7), Value: []byte(doc)})
	}
	for range 2 {
		again := make([]*kgo.Record, len(records))
		for i, r := range records {
			again[i] = &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value}
		}
		if err := client.ProduceSync(t.Context(), again...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantMessages waits until there are n, and until the group has committed everything.
func wantMessages(t testing.TB, client *chhttp.Client, topic, group string, n int) {
	t.Helper()
	admin := kadm.NewClient(testkit.KafkaClient(t))
	testkit.Eventually(t, time.Minute, func() error {
		lags, err := admin.Lag(t.Context(), group)
		if err != nil {
			return err
		}
		if lag := lags[group].Lag.Total(); lag != 0 {
			return fmt.Errorf("lag %d", lag)
		}
		got, err := client.Query(t.Context(), "SELECT count(), countDistinct(content), uniqExact(message_ref) FROM messages")
		if want := fmt.Sprintf("%d\t%d\t%d\n", n, n, n); err == nil && string(got) != want {
			err = fmt.Errorf("got %q, want %q", got, want)
		}
		return err
	})
}

func TestARebalanceInTheMiddleLosesNothing(t *testing.T) {
	h := newHot(t, nil, nil)
	topic, group := testkit.Topic(t, 4, nil), testkit.Name(t)
	stop := worker(t, h.client, topic, group)
	publish(t, topic, 0, 700)
	worker(t, h.client, topic, group) // takes half of the partitions
	publish(t, topic, 700, 700)
	stop()
	publish(t, topic, 1400, 100)
	wantMessages(t, h.client, topic, group, 1500)
}

func TestTheEngineIsKilledWhileRowsArrive(t *testing.T) {
	config := engine.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: "p", Log: slog.New(slog.DiscardHandler)}
	server, err := engine.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Close() }()
	config.Addr = server.Addr()
	client := newClient(t, chhttp.Config{Addr: config.Addr, User: "u", Password: "p", Database: "coldstream"})
	if _, err := chschema.Migrate(t.Context(), client, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		t.Fatal(err)
	}
	topic, group := testkit.Topic(t, 2, nil), testkit.Name(t)
	worker(t, client, topic, group)
	for round := range 3 {
		publish(t, topic, round*400, 400)
		child, err := os.FindProcess(server.PID())
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Kill(); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		if server, err = engine.Start(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	wantMessages(t, client, topic, group, 1200)
}
