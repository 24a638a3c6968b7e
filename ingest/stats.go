package ingest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/coldstream/coldstream/schemas"
)

// Stats counts since New what a pipeline did. After a rewind what is read again counts again.
type Stats struct {
	Records        int64 // data records read
	Events         int64 // rows given to the sink
	Repeats        int64
	Filtered       int64            // dropped by other processors, routes apart
	Routed         int64            // records published for routes
	Sampled        int64            // repeats published
	Dead           map[string]int64 // refused, by code
	Rewinds        int64            // memberships ended by schemas.ErrRewind
	Commits        int64
	Pauses         int64 // rounds without a fetch under pressure
	ShortHistories int64 // assignments whose log began later than a processor's history
	Rebuilding     int64 // offsets that are still to be read before what a processor remembers is whole; now, not since New
}

type counters struct {
	records, events, repeats, filtered, routed, sampled, rewinds, commits, pauses, shortHistories, rebuilding atomic.Int64

	mu   sync.Mutex
	dead map[string]int64
}

func (c *counters) add(r schemas.Range, filtered int64, codes map[string]int64) {
	c.events.Add(r.Events)
	c.repeats.Add(r.Repeats)
	c.filtered.Add(filtered)
	if len(codes) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil {
		c.dead = map[string]int64{}
	}
	for code, n := range codes {
		c.dead[code] += n
	}
}

// Stats may be called at any time by any goroutine.
func (p *Pipeline) Stats() Stats {
	c := &p.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Records: c.records.Load(), Events: c.events.Load(), Repeats: c.repeats.Load(), Filtered: c.filtered.Load(),
		Dead: maps.Clone(c.dead), Rewinds: c.rewinds.Load(), Commits: c.commits.Load(), Pauses: c.pauses.Load(),
		ShortHistories: c.shortHistories.Load(), Routed: c.routed.Load(), Sampled: c.sampled.Load(), Rebuilding: c.rebuilding.Load(),
	}
}

// Lag is how far a partition that this pipeline holds is behind.
type Lag struct {
	schemas.Source
	Next   int64 // first offset not given to the sink
	Stable int64 // last stable offset: where read_committed ends
	End    int64 // end of the log; beyond Stable when a transaction is open
}

// Records is the number of offsets between Next and Stable.
func (l Lag) Records() int64 { return max(0, l.Stable-l.Next) }

// Lag asks the broker. It may be called by any goroutine; without a membership it is empty.
func (p *Pipeline) Lag(ctx context.Context) ([]Lag, error) {
	p.mu.Lock()
	s := p.current
	var all []Lag
	if s != nil {
		for _, part := range s.parts {
			all = append(all, Lag{Source: part.src, Next: part.next})
		}
	}
	p.mu.Unlock()
	if len(all) == 0 {
		return nil, nil
	}
	stable, err := s.admin.ListCommittedOffsets(ctx, p.cfg.Topics...)
	if err != nil {
		return nil, fmt.Errorf("list stable offsets of %v: %w", p.cfg.Topics, err)
	}
	end, err := s.admin.ListEndOffsets(ctx, p.cfg.Topics...)
	if err != nil {
		return nil, fmt.Errorf("list end offsets of %v: %w", p.cfg.Topics, err)
	}
	for i, l := range all {
		at, _ := stable.Lookup(l.Topic, l.Partition)
		last, _ := end.Lookup(l.Topic, l.Partition)
		all[i].Stable, all[i].End = at.Offset, last.Offset
	}
	return all, nil
}
