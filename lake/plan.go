package lake

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/coldstream/coldstream/lake/objects"
	"golang.org/x/sync/errgroup"
)

// headers is how many files are looked up at once.
const headers = 16

// plan is what of some records belongs into the table.
type plan struct {
	pos     Position
	files   []DataFile
	taken   int
	dropped int
	stop    error // why the records after it were not looked at
}

// step is one record that was looked at.
type step struct {
	offset int64
	cp     *Checkpoint // nil: dropped
	pos    Position    // after it
	err    error       // what is wrong with its files
}

// plan goes through the records until one cannot be taken.
func (c *Committer) plan(ctx context.Context, v *Version, records []Record) (plan, error) {
	pos, err := c.position(v)
	if err != nil {
		return plan{}, err
	}
	sources, err := v.Sources()
	if err != nil {
		return plan{}, err
	}
	p, steps := plan{pos: pos}, []step{}
	for _, r := range records {
		if r.Offset < pos.Chunks.Next {
			continue
		}
		s, err := c.look(ctx, &pos, r, sources)
		if err != nil {
			p.stop = c.at(r.Offset, err)
			break
		}
		steps = append(steps, s)
		pos = s.pos
	}
	c.checkFiles(ctx, steps)
	for _, s := range steps {
		if s.err != nil {
			p.stop = c.at(s.offset, s.err)
			break
		}
		p.add(&s)
	}
	return p, nil
}

func (c *Committer) at(offset int64, err error) error {
	return fmt.Errorf("%s offset %d: %w", c.chunks.Topic, offset, err)
}

func (p *plan) add(s *step) {
	p.pos = s.pos
	if s.cp == nil {
		p.dropped++
		return
	}
	p.taken++
	p.files = append(p.files, s.cp.Files...)
}

// look decides about one record by the position before it, not yet about its files.
func (c *Committer) look(ctx context.Context, pos *Position, r Record, sources []Source) (step, error) {
	s := step{offset: r.Offset, pos: pos.clone()}
	s.pos.Chunks.Next = r.Offset + 1
	cp, err := c.table.DecodeCheckpoint(ctx, r.Value)
	if err != nil {
		return s, err
	}
	fits, err := s.pos.Apply(cp, sources)
	if fits {
		s.cp = cp
	}
	return s, err
}

// checkFiles looks whether the files of every step are on the store with the sizes that were announced.
func (c *Committer) checkFiles(ctx context.Context, steps []step) {
	var g errgroup.Group // not one that stops at the first error: the first step that has one counts
	g.SetLimit(headers)
	var mu sync.Mutex
	for i := range steps {
		if steps[i].cp == nil {
			continue
		}
		for j := range steps[i].cp.Files {
			g.Go(func() error {
				if err := c.table.checkFile(ctx, &steps[i].cp.Files[j]); err != nil {
					mu.Lock()
					defer mu.Unlock()
					steps[i].err = fmt.Errorf("checkpoint %s of %s: %w", steps[i].cp.ID, steps[i].cp.Worker, err)
				}
				return nil
			})
		}
	}
	_ = g.Wait() // its functions give no error
}

// checkFile looks whether a file is on the store with the size that was announced.
func (t *Table) checkFile(ctx context.Context, f *DataFile) error {
	have, err := t.store.Head(ctx, t.Key(f.Path))
	switch {
	case errors.Is(err, objects.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrMissingFile, err)
	case err != nil:
		return err
	case have.Size != f.Size:
		return fmt.Errorf("%w: %s has %d bytes, announced were %d", ErrMissingFile, f.Path, have.Size, f.Size)
	}
	return nil
}
