package lake

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// uploads is how many files are built and on their way to the store at once; each is in memory.
const uploads = 3

// maxBackoff bounds the wait between two tries of an upload.
const maxBackoff = 5 * time.Second

// uploader makes a checkpoint's files durable. It owns the buffer until it is done.
type uploader struct {
	cfg   *Config
	stats *counters
	cp    *checkpoint
}

// part is the windows that make one file.
type part struct {
	day     schemas.Day
	rows    *day
	windows []schemas.Window
}

func (u *uploader) run(ctx context.Context) error {
	parts := u.plan()
	u.cp.files = make([]lake.DataFile, len(parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(uploads)
	for i, p := range parts {
		g.Go(func() error { return u.make(gctx, p, i) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	faults.Point(faults.WorkerUploaded)
	return u.encode(ctx)
}

// make builds one file and uploads it.
func (u *uploader) make(ctx context.Context, p part, n int) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", schemas.ErrRewind, ctx.Err())
	}
	file, err := u.build(p)
	if err != nil {
		return fmt.Errorf("build file of %s: %w", p.day, err)
	}
	u.cp.files[n] = u.describe(file, p, n)
	faults.Point(faults.WorkerBuilt)
	return u.put(ctx, u.cp.files[n].Path, file.Bytes)
}

// plan shares the windows out: one file a day in window order, a large window in a file of its own.
func (u *uploader) plan() []part {
	var parts []part
	for _, d := range slices.Sorted(maps.Keys(u.cp.buffer.days)) {
		rows := u.cp.buffer.days[d]
		shared := part{day: d, rows: rows}
		for _, w := range slices.Sorted(maps.Keys(rows.windows)) {
			if rows.windows[w].bytes > u.cfg.FileBytes {
				parts = append(parts, part{day: d, rows: rows, windows: []schemas.Window{w}})
			} else {
				shared.windows = append(shared.windows, w)
			}
		}
		if len(shared.windows) > 0 {
			parts = append(parts, shared)
		}
	}
	return parts
}

func (u *uploader) build(p part) (*parquet.File, error) {
	from := parquet.Provenance{Checkpoint: u.cp.id, Worker: u.cfg.Worker, Policy: u.cp.buffer.policy, Epoch: u.cfg.Epoch, Sources: u.cp.sources()}
	rows := 0
	for _, win := range p.windows {
		rows += len(p.rows.windows[win].rows)
	}
	w := parquet.NewWriter(from)
	if rows < parquet.SparseRows*len(p.windows) {
		w = parquet.NewSparseWriter(from)
	}
	w.Reserve(rows)
	for _, win := range p.windows {
		if err := w.WriteRefs(win, u.cp.buffer.batches, p.rows.windows[win].rows); err != nil {
			return nil, err
		}
	}
	return w.Finish()
}

// sources are the ranges for the footers of the checkpoint's files.
func (cp *checkpoint) sources() []parquet.SourceRange {
	var all []parquet.SourceRange
	for _, r := range cp.ranges {
		if r.From < r.Next {
			all = parquet.Join(all, []parquet.SourceRange{{
				Source: r.Index, Cluster: r.Cluster, Topic: r.Topic, TopicID: r.TopicID, Partition: r.Partition, From: r.From, Next: r.Next,
			}})
		}
	}
	return all
}

func (u *uploader) describe(f *parquet.File, p part, n int) lake.DataFile {
	return lake.Describe(f, fmt.Sprintf("data/day=%s/%s-%02d.parquet", p.day, u.cp.id, n), int32(p.day), u.cp.buffer.policy)
}

// put uploads until it succeeds or ctx ends: a store that is away costs time, never rows.
func (u *uploader) put(ctx context.Context, path string, body []byte) error {
	return u.retry(ctx, "upload "+path, func() error {
		_, err := u.cfg.Store.Put(ctx, u.cfg.Table.Key(path), body)
		return err
	})
}

func (u *uploader) encode(ctx context.Context) error {
	return u.retry(ctx, "record of checkpoint "+u.cp.id, func() (err error) {
		u.cp.record, err = u.cfg.Table.EncodeCheckpoint(ctx, u.cp.describe(u.cfg))
		return err
	})
}

// retry goes on until do succeeds. Otherwise it ends with ctx, when the sink discards the checkpoint, or with an error
// that trying again cannot mend.
func (u *uploader) retry(ctx context.Context, what string, do func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, maxBackoff) {
		err := do()
		u.stats.upload(err)
		if err == nil {
			return nil
		}
		if lake.IsFinal(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %s: %w", schemas.ErrRewind, what, err)
		}
		u.cfg.Logger.Warn("the lake's store refuses, trying again", "operation", what, "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s: %w", schemas.ErrRewind, what, err)
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}
