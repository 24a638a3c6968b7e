package schemas

import "sync"

// freeList is the batches that nobody uses. A sync.Pool would lose them at every garbage collection, of which a worker
// that keeps its garbage small makes many; each batch is megabytes to clear again.
//
// It shrinks by itself: batches that stayed free through a whole round of gets and puts are let go, the oldest first. An
// archive worker's checkpoint gives back some hundred at once and takes as many before the next, so a round is longer
// than that.
type freeList struct {
	mu   sync.Mutex
	free []*Batch
	low  int // the fewest that were free in this round
	ops  int
}

// freeRound is the gets and puts of a round.
const freeRound = 1024

func (l *freeList) get() *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.count()
	n := len(l.free)
	if n == 0 {
		return new(Batch)
	}
	b := l.free[n-1]
	l.free[n-1] = nil
	l.free = l.free[:n-1]
	l.low = min(l.low, n-1)
	return b
}

func (l *freeList) put(b *Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.count()
	l.free = append(l.free, b)
}

func (l *freeList) count() {
	if l.ops++; l.ops < freeRound {
		return
	}
	kept := copy(l.free, l.free[l.low:])
	clear(l.free[kept:])
	l.free = l.free[:kept]
	l.low, l.ops = kept, 0
}
