package schemas

import "testing"

// Batches in use come back, and those that nobody took through a round are let go.
func TestFreeList(t *testing.T) {
	var l freeList
	var taken []*Batch
	for range 100 {
		taken = append(taken, l.get())
	}
	for _, b := range taken {
		l.put(b)
	}
	if got := l.get(); got != taken[99] {
		t.Error("a batch that is free was not given out")
	}
	l.put(taken[99])
	for range 2 * freeRound { // one is taken and given back, the others are idle
		l.put(l.get())
	}
	if n := len(l.free); n != 1 {
		t.Errorf("%d batches are still free, want the one that is used", n)
	}
}
