package ingest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The pool never lends less than is asked for, and keeps nothing huge.
func TestFetchPool(t *testing.T) {
	var p fetchPool
	for range 100 {
		p.PutRecords(make([]kgo.Record, 10))
		p.PutDecompressBytes(make([]byte, 100))
		if r := p.GetRecords(11); cap(r) < 11 {
			t.Fatalf("room for %d records, want 11", cap(r))
		}
		if b := p.GetDecompressBytes(make([]byte, 500), kgo.CodecLz4); cap(b) < 500 || len(b) != 0 {
			t.Fatalf("%d of %d bytes for a batch of 500", len(b), cap(b))
		}
		p.PutDecompressBytes(make([]byte, maxPooled+1))
		if b := p.GetDecompressBytes(nil, kgo.CodecLz4); cap(b) > maxPooled {
			t.Fatalf("%d bytes were kept", cap(b))
		}
	}
}
