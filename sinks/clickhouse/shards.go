package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ClickHouse/ch-go/proto"

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
			l.body = func(from, to int) []byte {
				w.body.Reset()
				w.picker.encode(&w.body, k.state.list, rows[from:to])
				return w.body.Buf
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

// picker encodes some rows of columns. Its memory is used again and again.
type picker struct {
	int8s   proto.ColInt8
	uint8s  proto.ColUInt8
	uint32s proto.ColUInt32
	int64s  proto.ColInt64
	uint64s proto.ColUInt64
	texts   proto.ColStr
}

// encode is the function encode for rows that do not follow one another.
func (p *picker) encode(buf *proto.Buffer, list []field, rows []int32) {
	buf.PutUVarInt(uint64(len(list)))
	buf.PutUVarInt(uint64(len(rows)))
	for _, f := range list {
		buf.PutString(f.name)
		buf.PutString(f.typ)
		for _, c := range f.elements {
			p.pick(c, rows).EncodeColumn(buf)
		}
	}
}

// pick is some rows of a column; what it returns is good until the next call.
func (p *picker) pick(c column, rows []int32) column {
	switch c := c.(type) {
	case *proto.ColInt8:
		p.int8s = picked(p.int8s, *c, rows)
		return &p.int8s
	case *proto.ColUInt8:
		p.uint8s = picked(p.uint8s, *c, rows)
		return &p.uint8s
	case *proto.ColUInt32:
		p.uint32s = picked(p.uint32s, *c, rows)
		return &p.uint32s
	case *proto.ColInt64:
		p.int64s = picked(p.int64s, *c, rows)
		return &p.int64s
	case *proto.ColUInt64:
		p.uint64s = picked(p.uint64s, *c, rows)
		return &p.uint64s
	case *proto.ColStr:
		p.texts.Buf, p.texts.Pos = c.Buf, picked(p.texts.Pos, c.Pos, rows) // the text itself is not copied
		return &p.texts
	default:
		panic("hot sink: a column of unknown type")
	}
}

func picked[S ~[]E, E any](dst, src S, rows []int32) S {
	dst = slices.Grow(dst[:0], len(rows))
	for _, r := range rows {
		dst = append(dst, src[r])
	}
	return dst
}
