package testkit_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestKafkaTakesAndGivesARecord(t *testing.T) {
	topic := testkit.Topic(t, 1, map[string]string{"max.message.bytes": "8388608"})
	c := testkit.KafkaClient(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("hello")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fetches := c.PollFetches(t.Context())
	if err := fetches.Err(); err != nil || fetches.NumRecords() != 1 {
		t.Fatalf("%d records, %v", fetches.NumRecords(), err)
	}
}

func TestS3GivesFreshBucketsAndKeepsTheWorkingDirectory(t *testing.T) {
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	a, b := testkit.S3(t), testkit.S3(t)
	if a.Bucket == b.Bucket {
		t.Fatalf("two calls share bucket %s", a.Bucket)
	}
	c := a.Client(t)
	if _, err := c.PutObject(t.Context(), a.Bucket, "k", bytes.NewReader([]byte("v")), 1, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	o, err := c.GetObject(t.Context(), a.Bucket, "k", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(o); err != nil || string(got) != "v" {
		t.Fatalf("got %q, %v", got, err)
	}
	if after, _ := os.Getwd(); after != before {
		t.Errorf("working directory went from %s to %s", before, after)
	}
}

func TestEventuallyReturnsWhenTheConditionHolds(t *testing.T) {
	n := 0
	testkit.Eventually(t, time.Minute, func() error {
		if n++; n < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if n != 3 {
		t.Fatalf("condition looked at %d times, want 3", n)
	}
}

func TestClickHouseGivesFreshDatabases(t *testing.T) {
	a, b := testkit.ClickHouse(t), testkit.ClickHouse(t)
	if a.Database == b.Database {
		t.Fatalf("two calls share database %s", a.Database)
	}
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n", "INSERT INTO numbers SELECT number FROM system.numbers LIMIT 3",
	} {
		if err := c.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
