package compact

import (
	"context"
	"fmt"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// merger writes the day's windows into files.
type merger struct {
	*work
	ctx    context.Context
	writer *parquet.Writer // nil between two files
	last   *window         // the last one in writer's file
	policy int64
	sparse map[int64]bool // by policy: windows have few rows on average
	hasher schemas.RowHasher
}

// merge reads every row once, and uploads the new files.
func (w *work) merge(ctx context.Context) error {
	all := w.shares()
	m := &merger{work: w, ctx: ctx, sparse: sparse(all)}
	for _, win := range all {
		if err := m.window(win); err != nil {
			return err
		}
	}
	return m.finish()
}

func sparse(all []*window) map[int64]bool {
	rows, windows := map[int64]int64{}, map[int64]int64{}
	for _, w := range all {
		rows[w.policy] += w.rows
		windows[w.policy]++
	}
	out := map[int64]bool{}
	for p, n := range windows {
		out[p] = rows[p] < parquet.SparseRows*n
	}
	return out
}

// window writes the rows of a window: as one chunk, if they fit into half of the memory.
func (m *merger) window(win *window) error {
	budget := m.cfg.Memory / 2
	for parts := win.parts; len(parts) > 0; {
		n, bytes := 1, parts[0].chunk.bytes
		for n < len(parts) && bytes+parts[n].chunk.bytes <= budget {
			bytes += parts[n].chunk.bytes
			n++
		}
		if err := m.chunk(win, parts[:n]); err != nil {
			return err
		}
		parts = parts[n:]
	}
	return nil
}

func (m *merger) chunk(win *window, parts []part) error {
	if m.writer != nil && (m.policy != win.policy || m.last == win) {
		if err := m.finish(); err != nil {
			return err
		}
	}
	b := schemas.GetBatch()
	defer b.Release()
	for _, p := range parts {
		if err := m.read(b, p); err != nil {
			return fmt.Errorf("%s: %w", p.in.file.Path, err)
		}
	}
	rows := m.keep(b)
	if len(rows) == 0 {
		return m.ctx.Err()
	}
	if m.writer == nil {
		m.begin(win.policy)
	}
	m.last = win
	if err := m.writer.WriteWindow(schemas.Window(win.start*1000), b, rows); err != nil {
		return err
	}
	if int64(m.writer.Size()) >= m.cfg.FileBytes {
		return m.finish()
	}
	return m.ctx.Err()
}

// read appends the rows of one chunk.
func (m *merger) read(b *schemas.Batch, p part) error {
	r, err := m.reader(m.ctx, p.in)
	if err != nil {
		return err
	}
	for g := p.chunk.RowGroup; g < p.chunk.RowGroup+p.chunk.RowGroups; g++ {
		if err := r.ReadRowGroup(b, g, nil); err != nil {
			return err
		}
	}
	m.cfg.Progress(p.chunk.Rows)
	return nil
}

// keep counts the rows, and picks those that are no repeats.
func (m *merger) keep(b *schemas.Batch) []int32 {
	rows := make([]int32, 0, b.Len())
	for i := range b.Len() {
		sum := m.hasher.Row(b, i)
		m.in.add(sum)
		kept, repeat := m.repeats[placeOf(b, i)]
		if !repeat {
			rows = append(rows, int32(i))
			continue
		}
		m.gone.add(sum)
		m.removed = append(m.removed, removedRow(b, i, kept))
	}
	return rows
}

func (t *tally) add(sum schemas.Sum) {
	t.rows++
	t.sum.Add(sum)
}

func (m *merger) begin(policy int64) {
	from := parquet.Provenance{Checkpoint: m.id, Worker: wholeName, Policy: policy, Epoch: m.epoch}
	if !m.unknown { // some ranges of many would be taken for all
		from.Sources = m.sources
	}
	m.policy = policy
	if m.sparse[policy] {
		m.writer = parquet.NewSparseWriter(from)
		return
	}
	m.writer = parquet.NewWriter(from)
}

// finish uploads the file under way.
func (m *merger) finish() error {
	if m.writer == nil {
		return nil
	}
	f, err := m.writer.Finish()
	m.writer = nil
	if err != nil {
		return err
	}
	kind := wholeName
	if m.plan.Late {
		kind = lateName
	}
	at := fmt.Sprintf("data/day=%s/%s-%d-%s-%02d.parquet", m.plan.Day, kind, m.began.UnixMilli(), m.id, len(m.outputs))
	d := lake.Describe(f, at, int32(m.plan.Day), m.policy)
	if _, err := m.cfg.Table.Store().Put(m.ctx, m.cfg.Table.Key(at), f.Bytes); err != nil {
		return fmt.Errorf("upload %s: %w", at, err)
	}
	m.outputs = append(m.outputs, d)
	return nil
}
