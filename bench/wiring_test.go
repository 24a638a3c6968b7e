package bench_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/codec"
	hotsink "github.com/coldstream/coldstream/sinks/clickhouse"
	coldsink "github.com/coldstream/coldstream/sinks/lake"
)

// settings are the product's defaults. What follows puts the parts together as cmd/coldstream does.
var settings = config.Default()

func kafka(b *testing.B) []kgo.Opt { return []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(b))} }

func decoder(string) ingest.Decoder { return &codec.JSON{Epoch: schemas.DiscordEpoch} }

func redaction(b *testing.B) *redact.Engine {
	b.Helper()
	engine, err := redact.New(redact.Policy{Version: 1})
	if err != nil {
		b.Fatal(err)
	}
	return engine
}

func newCold(b *testing.B) *run {
	b.Helper()
	store, stored := bucket(b)
	table := lake.OpenEvents(store)
	if _, err := table.Create(b.Context()); err != nil {
		b.Fatal(err)
	}
	chunks, dlq := testkit.Topic(b, 1, nil), testkit.Topic(b, 1, map[string]string{"max.message.bytes": "8454144"})
	instance, err := ingest.OpenInstance(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := instance.Close(); err != nil {
			b.Error(err)
		}
	})
	engine := redaction(b)
	sink, err := coldsink.New(coldsink.Config{
		Table: table, Store: store, Worker: instance.ID, Chunks: chunks, DLQ: dlq, Epoch: schemas.DiscordEpoch,
		Policy: int64(engine.Version()), Checkpoint: settings.Cold.Checkpoint, Grace: settings.Cold.Grace, MaxBytes: int(settings.Cold.MaxBytes),
	})
	if err != nil {
		b.Fatal(err)
	}
	list := func(schemas.Source) []ingest.Processor {
		d, err := processors.NewDedup(settings.Dedup.Window)
		if err != nil {
			panic(err) // the default is valid
		}
		return []ingest.Processor{d, processors.NewRedact(engine)}
	}
	group := testkit.Name(b)
	p, err := ingest.New(ingest.Config{
		Client: kafka(b), Topics: []string{stream.topic}, Group: group, TransactionalID: instance.TransactionalID(group),
		Floor: coldsink.Floor(table, kafka(b), chunks), Decoder: decoder, Processors: list, Sink: sink,
	})
	if err != nil {
		b.Fatal(err)
	}
	return &run{group: group, pipeline: p, rows: stream.Events, flush: sink.RequestCheckpoint, stored: stored}
}

// bucket opens a fresh bucket; stored is the bytes of the data files in it.
func bucket(b *testing.B) (_ *objects.Store, stored func(b *testing.B) int64) {
	b.Helper()
	a := testkit.S3(b)
	store, err := objects.Open(objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket,
	})
	if err != nil {
		b.Fatal(err)
	}
	return store, func(b *testing.B) (sum int64) {
		b.Helper()
		list := minio.ListObjectsOptions{Prefix: lake.EventsName + "/data/", Recursive: true}
		for o := range a.Client(b).ListObjects(b.Context(), a.Bucket, list) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
			sum += o.Size
		}
		return sum
	}
}

func newHot(b *testing.B) *run {
	b.Helper()
	a := testkit.ClickHouse(b)
	client, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.CloseIdle)
	if _, err := ddl.Migrate(b.Context(), client, ddl.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		b.Fatal(err)
	}
	sink, err := hotsink.New(hotsink.Config{
		Client: client, Epoch: schemas.DiscordEpoch, MaxRows: settings.Hot.BatchRows, MaxAge: settings.Hot.BatchDelay,
		Reread: kafka(b), DeadLetter: func(_ context.Context, letters []schemas.DeadLetter) error {
			return fmt.Errorf("ClickHouse refused %d generated events", len(letters))
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine, group := redaction(b), testkit.Name(b)
	p, err := ingest.New(ingest.Config{
		Client: kafka(b), Topics: []string{stream.topic}, Group: group, Decoder: decoder, Sink: sink,
		Processors: func(schemas.Source) []ingest.Processor { return []ingest.Processor{processors.NewRedact(engine)} },
	})
	if err != nil {
		b.Fatal(err)
	}
	return &run{group: group, pipeline: p, rows: stream.Events + stream.Repeats}
}
