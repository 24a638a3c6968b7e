package processors

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Meter counts what the stages of one pipeline do, over all its partitions. It is safe for concurrent use; a nil Meter
// counts nothing.
type Meter struct {
	mu     sync.Mutex
	stages []*counters // in the order in which they were first met
	found  map[string]int64
}

// counters of one stage; nil counts nothing.
type counters struct {
	name, reason                        string
	in, dropped, refused, failed, nanos atomic.Int64
}

// StageStats is what a stage has done since the process began.
type StageStats struct {
	Stage   string
	Reason  string // why it drops events
	In      int64  // events that came
	Out     int64  // that went on
	Dropped int64  // by the stage's own purpose
	Refused int64  // dead letters
	Failed  int64  // batches that the stage could not do
	Time    time.Duration
}

func (m *Meter) stage(name, reason string) *counters {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.stages, func(c *counters) bool { return c.name == name }); i >= 0 {
		return m.stages[i]
	}
	c := &counters{name: name, reason: reason}
	m.stages = append(m.stages, c)
	return c
}

func (c *counters) add(in, dropped, refused int, d time.Duration) {
	if c == nil {
		return
	}
	c.in.Add(int64(in))
	c.dropped.Add(int64(dropped))
	c.refused.Add(int64(refused))
	c.nanos.Add(int64(d))
}

func (c *counters) fail() {
	if c != nil {
		c.failed.Add(1)
	}
}

// Stages are the stages' counts, in order.
func (m *Meter) Stages() []StageStats {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]StageStats, len(m.stages))
	for i, c := range m.stages {
		s := StageStats{
			Stage: c.name, Reason: c.reason, In: c.in.Load(), Dropped: c.dropped.Load(), Refused: c.refused.Load(), Failed: c.failed.Load(), Time: time.Duration(c.nanos.Load()),
		}
		s.Out = s.In - s.Dropped - s.Refused
		all[i] = s
	}
	return all
}

// Detections are how many values of each type were found, by the type's name.
func (m *Meter) Detections() map[string]int64 {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.found)
}

// detections gives what counts a batch's detections; nil counts nothing.
func (m *Meter) detections() func(map[string]int64) {
	if m == nil {
		return nil
	}
	return func(found map[string]int64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.found == nil {
			m.found = map[string]int64{}
		}
		for name, n := range found {
			m.found[name] += n
		}
	}
}
