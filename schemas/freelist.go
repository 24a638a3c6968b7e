package schemas

import "sync"

// maxFree is the most memory, in bytes, that batches which nobody uses may hold: a third of what an archive worker gives
// back after a checkpoint. What is above is left to the garbage collection.
const maxFree = 64 << 20

// freeList is the batches that nobody uses. A sync.Pool would lose them at every garbage collection, of which a worker
// that keeps its garbage small makes many; each batch is megabytes to clear again.
type freeList struct {
	mu    sync.Mutex
	free  []*Batch
	bytes int // their footprint
}

func (l *freeList) get() *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		return new(Batch)
	}
	b := l.free[n-1]
	l.free[n-1] = nil
	l.free = l.free[:n-1]
	l.bytes -= b.Footprint()
	return b
}

func (l *freeList) put(b *Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if size := b.Footprint(); l.bytes+size <= maxFree {
		l.bytes += size
		l.free = append(l.free, b)
	}
}
