package ingest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// rebuild is how far the reading of what lies before the start is.
type rebuild struct {
	from, at int64 // offsets; at start it is done
	began    time.Time
	told     time.Time
}

// tellEvery is how often a rebuild that takes time says how far it is.
const tellEvery = 3 * time.Second

// beginRebuild notes what a partition has to read before its first row goes on: at most as many offsets as its
// processors remember.
func (s *session) beginRebuild(p *partition) {
	p.rebuild.from = max(p.start-p.history, p.logStart)
	p.rebuild.at = p.rebuild.from
	p.rebuild.began = s.cfg.Now()
	p.rebuild.told = p.rebuild.began
}

// remember feeds what lies before the start to the processors that need it. What the sink has had already is ignored.
func (s *session) remember(p *partition, b *schemas.Batch, records []*kgo.Record) error {
	for len(records) > 0 && records[0].Offset < p.start {
		b.Reset()
		in := input{partition: p, batch: b, decoder: s.topics[p.src.Topic].decoder}
		n, err := in.decode(records)
		if err != nil {
			return err
		}
		for _, proc := range p.processors {
			if h, ok := proc.(Historian); ok {
				h.Remember(b)
			}
		}
		s.rebuilt(p, records[n-1].Offset+1)
		records = records[n:]
	}
	return nil
}

// rebuilt notes that everything below an offset is remembered, and says so now and then.
func (s *session) rebuilt(p *partition, at int64) {
	r := &p.rebuild
	if r.at >= p.start {
		return
	}
	r.at = min(at, p.start)
	s.countRebuilds()
	now, total := s.cfg.Now(), p.start-r.from
	switch {
	case r.at == p.start:
		s.cfg.Logger.Info("remembers what came before", "group", s.cfg.Group, "partition", p.src.String(), "offsets", total, "took", now.Sub(r.began).Round(time.Millisecond))
	case now.Sub(r.told) >= tellEvery:
		r.told = now
		s.cfg.Logger.Info("reading what came before", "group", s.cfg.Group, "partition", p.src.String(), "offsets", r.at-r.from, "of", total)
	}
}

// countRebuilds sums up what is still to be read of the partitions held.
func (s *session) countRebuilds() {
	var left int64
	for _, p := range s.parts {
		left += p.start - p.rebuild.at
	}
	s.stats.rebuilding.Store(left)
}
