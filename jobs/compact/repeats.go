package compact

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// place is where a row came from; no two rows have the same.
type place struct {
	source, partition int32
	offset            int64
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.source, o.source), cmp.Compare(p.partition, o.partition), cmp.Compare(p.offset, o.offset))
}

// sighting is an event at a place. The event is told apart as everywhere: by its id and the hash of its reference, which is
// 0 where it has none.
type sighting struct {
	id   int64
	hash uint64
	place
}

// sightingBytes is the memory of one.
const sightingBytes = 32

// idColumns are what telling events and places apart needs.
var idColumns = []string{"event_id", "event_ref", "source", "kafka_partition", "kafka_offset"}

// findRepeats looks at every row's event and place, and notes all but the lowest place of each event. A day that does not
// fit into a quarter of the memory is gone through several times, each time for another share of the ids.
func (w *work) findRepeats(ctx context.Context) error {
	rows := w.plan.Rows()
	passes := max(1, (rows*sightingBytes+w.cfg.Memory/4-1)/(w.cfg.Memory/4))
	w.repeats = map[place]place{}
	seen := make([]sighting, 0, min(rows, rows/passes+rows/passes/8+16))
	for pass := range passes {
		seen = seen[:0]
		for _, in := range w.inputs {
			var err error
			if seen, err = w.sight(ctx, in, seen, uint64(passes), uint64(pass)); err != nil {
				return err
			}
		}
		if err := w.sort(seen); err != nil {
			return err
		}
	}
	return nil
}

// sight appends the rows of a file whose event is in the pass's share.
func (w *work) sight(ctx context.Context, in *input, seen []sighting, passes, pass uint64) ([]sighting, error) {
	r, err := w.open(ctx, &in.file)
	if err != nil {
		return nil, err
	}
	for b, err := range r.Batches(parquet.Query{Columns: idColumns}) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.file.Path, err)
		}
		for i := range b.Len() {
			if s := sightingOf(b, i); s.share(passes) == pass {
				seen = append(seen, s)
			}
		}
	}
	return seen, ctx.Err()
}

func sightingOf(b *schemas.Batch, i int) sighting {
	return sighting{b.EventID[i], b.EventHash[i], placeOf(b, i)}
}

func placeOf(b *schemas.Batch, i int) place { return place{b.Source[i], b.Partition[i], b.Offset[i]} }

// share spreads events over passes.
func (s *sighting) share(passes uint64) uint64 {
	return ((uint64(s.id) ^ s.hash) * 0x9E3779B97F4A7C15 >> 32) % passes
}

// sort brings the places of an event together, the lowest first.
func (w *work) sort(seen []sighting) error {
	slices.SortFunc(seen, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.hash, b.hash), a.compare(b.place))
	})
	first := 0
	for i := 1; i < len(seen); i++ {
		switch {
		case seen[i].id != seen[first].id || seen[i].hash != seen[first].hash:
			first = i
		case seen[i].place == seen[i-1].place:
			return fmt.Errorf("%w: the record of source %d partition %d offset %d is stored twice",
				ErrDamaged, seen[i].source, seen[i].partition, seen[i].offset)
		default:
			w.repeats[seen[i].place] = seen[first].place
		}
	}
	return nil
}
