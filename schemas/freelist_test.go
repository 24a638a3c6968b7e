package schemas

import "testing"

// Batches come back as long as they hold less in all than is allowed.
func TestFreeList(t *testing.T) {
	var l freeList
	small := new(Batch)
	small.Reserve(100, 1000)
	l.put(small)
	for range 100 {
		b := new(Batch)
		b.Reserve(10_000, 1<<20)
		l.put(b)
	}
	if l.bytes > maxFree || len(l.free) < 10 {
		t.Errorf("%d batches hold %d bytes, at most %d are allowed", len(l.free), l.bytes, maxFree)
	}
	var last *Batch
	for len(l.free) > 0 {
		last = l.get()
	}
	if last != small || l.bytes != 0 {
		t.Errorf("%d bytes are left, and the first batch was lost: %v", l.bytes, last != small)
	}
	if b := l.get(); b.Footprint() != 0 {
		t.Error("an empty list gave a batch that was used")
	}
}
