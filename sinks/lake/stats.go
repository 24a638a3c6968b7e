package lake

import (
	"sync"
	"time"
)

// Stats is what a sink has done since New, and what it holds.
type Stats struct {
	Checkpoints, Files, Chunks, Rows, Bytes, Dead int64

	LastCheckpoint time.Time // when the last record was committed
	HeldRows       int       // not closed yet
	HeldBytes      int
	HeldSince      time.Time // zero where nothing is held
	UploadError    error     // of the last upload, nil after a success
}

type counters struct {
	mu sync.Mutex
	s  Stats
}

// Stats may be called by any goroutine.
func (s *Sink) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.s
}

func (c *counters) hold(u *buffer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.HeldRows, c.s.HeldBytes, c.s.HeldSince = u.rows, u.bytes, u.opened
}

func (c *counters) upload(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.UploadError = err
}

func (c *counters) commit(cp *checkpoint, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Checkpoints++
	c.s.LastCheckpoint = now
	c.s.Rows += int64(cp.buffer.rows)
	c.s.Dead += int64(len(cp.buffer.dead))
	for _, f := range cp.files {
		c.s.Files++
		c.s.Chunks += int64(len(f.Chunks))
		c.s.Bytes += f.Size
	}
}
