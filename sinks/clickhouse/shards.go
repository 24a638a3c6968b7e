package clickhouse

import (
	"context"
	"fmt"
	"sync"

	"github.com/coldstream/coldstream/schemas/clickhouse"
)

// Where the store is spread over shards, a block's rows of state go straight into the shard of their channel, names,
// places and removals into every shard, and what waits into the first. The block is done, and its offsets committed, when
// all shards have acknowledged; a shard that is away makes the block wait, and no other shard is sent its part again.

// spread makes a block durable on all shards, at the same time.
func (w *inserter) spread(ctx context.Context, k *block) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []refused
		first error // of a shard; the others are then let go
	)
	for i, rows := range k.rowsOf(len(w.lanes)) {
		wg.Go(func() {
			lane := w.lanes[i]
			out, err := lane.insertLoads(ctx, lane.shardLoads(k, rows, i == 0), fmt.Sprintf("%s/%dof%d", k.token, i+1, len(w.lanes)))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, out...)
			if err != nil && first == nil {
				first = fmt.Errorf("shard %d: %w", i+1, err)
				cancel()
			}
		})
	}
	wg.Wait()
	if first != nil {
		return first
	}
	return w.bury(ctx, k, all)
}

// rowsOf lists the rows of state of each shard.
func (k *block) rowsOf(shards int) [][]int32 {
	rows := make([][]int32, shards)
	for i, channel := range k.state.channel {
		s := clickhouse.ShardOf(channel, shards)
		rows[s] = append(rows[s], int32(i))
	}
	return rows
}

// shardLoads lists what a block has for one shard. The first one counts what goes to all, and has what waits.
func (w *inserter) shardLoads(k *block, rows []int32, first bool) []load {
	loads := w.loads(k)
	kept := loads[:0]
	for _, l := range loads {
		switch {
		case l.table == "state":
			l.origins = chosen(l.origins, rows)
			l.body = func(from, to int) segments {
				some := rows[from:to]
				pick(w.picked.list, k.state.list, some)
				return encode(w.picked.list, 0, len(some))
			}
		case first:
		case l.table == "unresolved":
			continue
		default:
			l.inserted = nil
		}
		kept = append(kept, l)
	}
	return kept
}

func chosen(origins []origin, rows []int32) []origin {
	out := make([]origin, len(rows))
	for i, r := range rows {
		out[i] = origins[r]
	}
	return out
}

// pick fills columns with some rows, in ascending order, of others of the same table.
func pick(dst, src []field, rows []int32) {
	for i, f := range dst {
		for j, c := range f.elements {
			c.pick(src[i].elements[j], rows)
		}
	}
}
