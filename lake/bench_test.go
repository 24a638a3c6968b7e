package lake_test

import (
	"fmt"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// BenchmarkCommit commits checkpoints of one file each, one at a time, to a table that keeps growing.
func BenchmarkCommit(b *testing.B) {
	a := testkit.S3(b)
	store, err := objects.Open(objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket,
	})
	if err != nil {
		b.Fatal(err)
	}
	table := lake.OpenEvents(store)
	if _, err = table.Create(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err = table.EnsureSource(b.Context(), lake.Source{Cluster: cluster, Topic: topic, TopicID: topicID}); err != nil {
		b.Fatal(err)
	}
	c, next := lake.NewCommitter(table, cluster, "chunks", chunksID), int64(0)
	for b.Loop() {
		path := fmt.Sprintf("data/%d.parquet", next)
		if _, err = store.Put(b.Context(), table.Key(path), []byte("x")); err != nil {
			b.Fatal(err)
		}
		record, err := lake.Encode(lake.Checkpoint{
			ID: path, Worker: "w", Files: []lake.DataFile{describe(path, []byte("x"), day, 1)},
			Sources: []lake.SourceRange{{Cluster: cluster, Topic: topic, TopicID: topicID, From: next, Next: next + 1}},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err = c.Commit(b.Context(), []lake.Record{{Offset: next, Value: record}}); err != nil {
			b.Fatal(err)
		}
		next++
	}
}
