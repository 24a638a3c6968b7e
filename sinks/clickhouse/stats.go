package clickhouse

import "sync/atomic"

// counters are what a sink has done since it was made. Atomic: inserters and the pipeline's goroutine share them.
type counters struct {
	rows, blocks, retries, refused, waiting, ignored, wide, held atomic.Int64
}

// Stats is what a sink has done since it was made.
type Stats struct {
	Rows    int64 // inserted into the state table and acknowledged
	Blocks  int64 // committed
	Retries int64 // failed attempts
	Refused int64 // rows that became dead letters
	Waiting int64 // handed to the resolver
	Ignored int64 // events of types that are no state
	Wide    int64 // deletes of whole channels and guilds, handed to the resolver
	Held    int64 // blocks sealed and not committed
}

// Stats reads the counters; safe at any time.
func (s *Sink) Stats() Stats {
	c := &s.stats
	return Stats{
		Rows: c.rows.Load(), Blocks: c.blocks.Load(), Retries: c.retries.Load(), Refused: c.refused.Load(),
		Waiting: c.waiting.Load(), Ignored: c.ignored.Load(), Wide: c.wide.Load(), Held: c.held.Load(),
	}
}
