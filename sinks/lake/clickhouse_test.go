package lake_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// ClickHouse reads what the cold path has written, through the table; a search in user text finds it although, or
// because, no index has bounds of it.
func TestClickHouseReadsTheFiles(t *testing.T) {
	ch := testkit.ClickHouse(t)
	w := newWorldAt(t, 1, ch.Lake, testkit.Name(t))
	w.produce(0, many(0, 6000)...)  // windows of 300 rows, without page index
	dense := make([]string, 18_000) // one window of more than a page, with one
	for i := range dense {
		dense[i] = event(monday.AddDate(0, 0, 1).Add(time.Duration(i)*time.Millisecond), 10_000+i)
	}
	w.produce(0, dense...)
	k := w.start("a", slow)
	w.waitHeld(k, 24_000)
	k.stop()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- lake.Run(ctx, w.table, lake.RunConfig{Client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, Topic: w.chunks, Group: testkit.Name(t)})
	}()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	testkit.Eventually(t, patience, func() error {
		v, err := w.table.Load(t.Context())
		if err == nil && len(v.Position.Sources) == 0 {
			err = fmt.Errorf("nothing is committed at version %d", v.N)
		}
		return err
	})
	c, err := chhttp.New(chhttp.Config{Addr: ch.Addr, User: ch.User, Password: ch.Password, Database: ch.Database})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range lake.EngineDDL(w.table, lake.EngineOptions{}) {
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for sql, want := range map[string]string{
		"SELECT count(), uniqExact(event_id), uniqExact(kafka_offset) FROM events":                                   "24000\t24000\t24000",
		"SELECT count() FROM events WHERE content = 'hello 4321'":                                                    "1",
		"SELECT count() FROM events WHERE content = 'hello 17000'":                                                   "1",
		"SELECT count() FROM events WHERE content IN ('hello 27999', 'hello 1')":                                     "2",
		"SELECT content FROM events WHERE channel_id = 1 AND event_time >= '2026-03-03' ORDER BY event_id LIMIT 1":   "hello 10001",
		"SELECT count() FROM events WHERE user_id = 7 AND extra IS NULL AND event_ref IS NULL AND user_name IS NULL": "24000",
	} {
		got, err := c.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(got)) != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// storeOf opens a bucket.
func storeOf(t testing.TB, access testkit.S3Access, prefix string) *objects.Store {
	t.Helper()
	store, err := objects.Open(objects.Config{
		Endpoint: access.Endpoint, Region: access.Region, AccessKey: access.AccessKey, SecretKey: access.SecretKey,
		Bucket: access.Bucket, Prefix: prefix,
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}
