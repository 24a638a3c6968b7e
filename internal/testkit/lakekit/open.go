package lakekit

import (
	"net/http"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// StoreConfig says how the object store of a bucket is reached.
func StoreConfig(t testing.TB, a testkit.S3Access, prefix string) objects.Config {
	t.Helper()
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections) // the server waits for them at its end
	return objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket, Prefix: prefix,
		Transport: http.DefaultTransport,
	}
}

// Open opens the table of events on a bucket, as another process would. Nothing is made.
func Open(t testing.TB, a testkit.S3Access, prefix string) *lake.Table {
	t.Helper()
	s, err := objects.Open(StoreConfig(t, a, prefix))
	if err != nil {
		t.Fatalf("lakekit: %v", err)
	}
	return lake.OpenEvents(s)
}

// Fill makes the table and gives it days of chat, from a day on: one commit a day, of n events.
func Fill(t testing.TB, table *lake.Table, days, n int) *Writer {
	t.Helper()
	w, err := NewWriter(t.Context(), table)
	if err != nil {
		t.Fatalf("lakekit: %v", err)
	}
	for d := range days {
		if err := w.Day(t.Context(), d, n); err != nil {
			t.Fatalf("lakekit: %v", err)
		}
	}
	return w
}
