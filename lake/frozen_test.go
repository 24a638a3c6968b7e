package lake_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

func TestSettingsAreFrozenOnce(t *testing.T) {
	ctx := context.Background()
	s3 := testkit.S3(t)
	store, err := objects.Open(objects.Config{Endpoint: s3.Endpoint, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey, Region: s3.Region, Bucket: s3.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	table := lake.OpenEvents(store)
	v, err := table.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := table.Freeze(ctx, lake.Frozen{Epoch: 1420070400000, DedupWindow: 8}); err != nil {
			t.Fatal(err)
		}
	}
	after, err := table.Load(ctx)
	if err != nil || after.N != v.N+1 {
		t.Fatalf("version %d after %d: %v", after.N, v.N, err)
	}
	if err := table.Freeze(ctx, lake.Frozen{DedupWindow: 8}); !errors.Is(err, lake.ErrFrozen) {
		t.Fatalf("another epoch: %v", err)
	}
}
