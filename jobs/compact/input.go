package compact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// input is one file to be replaced.
type input struct {
	file   lake.File
	policy int64
	chunks []inputChunk
	left   int             // chunks that were not read yet
	reader *parquet.Reader // kept while there are some; nil if it is not open
}

type inputChunk struct {
	parquet.Chunk
	bytes int64 // about the memory of its rows
}

// open reads a file's footer.
func (w *work) open(ctx context.Context, f *lake.File) (*parquet.Reader, error) {
	key := w.cfg.Table.Key(f.Path)
	r, err := parquet.Open(w.blocks.Open(ctx, key, f.Size), f.Size)
	switch {
	case errors.Is(err, objects.ErrNotFound), errors.Is(err, parquet.ErrFormat):
		return nil, fmt.Errorf("%s: %w: %w", f.Path, ErrDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return r, nil
}

// mostOpen bounds the footers that are kept; one of a day with every window takes some megabytes.
const mostOpen = 64

// reader gives a file to read a chunk from, and keeps it open if more of it is to be read.
func (w *work) reader(ctx context.Context, in *input) (*parquet.Reader, error) {
	r := in.reader
	if r == nil {
		var err error
		if r, err = w.open(ctx, &in.file); err != nil {
			return nil, err
		}
	}
	in.left--
	switch keep := in.left > 0; {
	case keep && in.reader == nil && w.opened < mostOpen:
		in.reader = r
		w.opened++
	case !keep && in.reader != nil:
		in.reader = nil
		w.opened--
	}
	return r, nil
}

// scan reads every footer.
func (w *work) scan(ctx context.Context) error {
	for i := range w.plan.Files {
		f := &w.plan.Files[i]
		r, err := w.open(ctx, f)
		if err != nil {
			return err
		}
		in, err := w.describe(f, r)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		w.inputs = append(w.inputs, in)
	}
	return nil
}

func (w *work) describe(f *lake.File, r *parquet.Reader) (*input, error) {
	if names := r.Unknown(); len(names) > 0 {
		return nil, fmt.Errorf("%w (columns %v)", ErrNewer, names)
	}
	if r.Rows() != f.Rows {
		return nil, fmt.Errorf("%w: it has %d rows, the table says %d", ErrDamaged, r.Rows(), f.Rows)
	}
	from := r.Provenance()
	if len(w.inputs) > 0 && from.Epoch != w.epoch {
		return nil, fmt.Errorf("%w: epoch %d beside epoch %d", ErrDamaged, from.Epoch, w.epoch)
	}
	w.epoch, w.unknown = from.Epoch, w.unknown || len(from.Sources) == 0
	w.sources = parquet.Join(w.sources, from.Sources)
	in := &input{file: *f, policy: from.Policy}
	rows := int64(0)
	for _, c := range r.Chunks() {
		rows += c.Rows
		if schemas.DayOf(c.WindowMs*1000) != w.plan.Day {
			return nil, fmt.Errorf("%w: window %d is of another day", ErrDamaged, c.WindowMs)
		}
		in.chunks = append(in.chunks, inputChunk{c, r.ChunkBytes(c)})
	}
	in.left = len(in.chunks)
	if rows != f.Rows {
		return nil, fmt.Errorf("%w: its windows have %d rows, the file %d", ErrDamaged, rows, f.Rows)
	}
	return in, nil
}

// window is the chunks of one window and one policy.
type window struct {
	policy int64
	start  int64 // Unix milliseconds
	parts  []part
	rows   int64
}

type part struct {
	in    *input
	chunk inputChunk
}

// shares shares the rows out: by policy, then by window, in order.
func (w *work) shares() []*window {
	type key struct{ policy, start int64 }
	byKey := map[key]*window{}
	starts := map[int64]bool{}
	var all []*window
	for _, in := range w.inputs {
		for _, c := range in.chunks {
			starts[c.WindowMs] = true
			k := key{in.policy, c.WindowMs}
			if byKey[k] == nil {
				byKey[k] = &window{policy: in.policy, start: c.WindowMs}
				all = append(all, byKey[k])
			}
			byKey[k].parts = append(byKey[k].parts, part{in, c})
			byKey[k].rows += c.Rows
		}
	}
	w.windows = len(starts)
	slices.SortFunc(all, func(a, b *window) int {
		return cmp.Or(cmp.Compare(a.policy, b.policy), cmp.Compare(a.start, b.start))
	})
	return all
}
