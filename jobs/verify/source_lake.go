package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// LakeTable is the table of events as its metadata tells; no folder listing decides what is in it.
type LakeTable struct {
	Table   *lake.Table
	Cluster string // of the topic that is verified
	TopicID string

	version *lake.Version
	files   []lake.File
	source  int
	known   bool
}

// Open is part of Lake.
func (l *LakeTable) Open(ctx context.Context) (err error) {
	if l.version, err = l.Table.Load(ctx); err != nil {
		return err
	}
	if l.source, l.known, err = l.version.SourceNumber(l.Cluster, l.TopicID); err != nil {
		return err
	}
	l.files, err = l.version.Files(ctx, lake.Filter{})
	return err
}

// Position is part of Lake.
func (l *LakeTable) Position() map[int32]int64 {
	out := map[int32]int64{}
	for _, s := range l.version.Position.Sources {
		if s.Cluster == l.Cluster && s.TopicID == l.TopicID {
			out[s.Partition] = s.Next
		}
	}
	return out
}

// readers is how many files are fetched at once, ahead of the one that is compared.
const readers = 4

// Rows is part of Lake. A file that is damaged is an error that names it.
func (l *LakeTable) Rows(ctx context.Context, f func(b *schemas.Batch, policy int64) error, gone func(string, int64)) error {
	if !l.known {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	bodies := make(chan fetched, readers)
	g.Go(func() error { return l.fetch(ctx, bodies) })
	g.Go(func() error {
		for body := range bodies {
			if body.body == nil {
				gone(body.file.Path, body.file.Rows)
				continue
			}
			if err := l.rowsOf(body, f); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

type fetched struct {
	file lake.File
	body []byte
}

func (l *LakeTable) fetch(ctx context.Context, out chan<- fetched) error {
	defer close(out)
	for _, file := range l.files {
		body, _, err := l.Table.Store().Get(ctx, l.Table.Key(file.Path))
		if err != nil && !errors.Is(err, objects.ErrNotFound) {
			return fmt.Errorf("data file %s: %w", file.Path, err)
		}
		select {
		case out <- fetched{file, body}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *LakeTable) rowsOf(x fetched, f func(b *schemas.Batch, policy int64) error) error {
	r, err := parquet.Open(bytes.NewReader(x.body), int64(len(x.body)))
	if err != nil {
		return fmt.Errorf("data file %s: %w", x.file.Path, err)
	}
	for b, err := range r.Batches(parquet.Query{}) {
		if err != nil {
			return fmt.Errorf("data file %s: %w", x.file.Path, err)
		}
		for i := range b.Len() {
			if int(b.Source[i]) != l.source {
				b.Offset[i] = -1
			}
		}
		if err := f(b, r.Provenance().Policy); err != nil {
			return err
		}
	}
	return nil
}

// Files is part of Lake.
func (l *LakeTable) Files(ctx context.Context) (files, bytes, unreferenced int64, err error) {
	live := map[string]bool{}
	for _, f := range l.files {
		live[l.Table.Key(f.Path)] = true
		files++
		bytes += f.Size
	}
	listed := time.Now()
	for o, err := range l.Table.Store().List(ctx, l.Table.Key("data")+"/") {
		if err != nil {
			return 0, 0, 0, fmt.Errorf("list data files: %w", err)
		}
		if strings.HasSuffix(o.Key, ".parquet") && !live[o.Key] && o.Modified.Before(listed) {
			unreferenced++
		}
	}
	return files, bytes, unreferenced, nil
}
