package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/coldstream/coldstream/lake/objects"
	"golang.org/x/sync/errgroup"
)

// References are the objects by which any version that has not expired can be read: manifest lists, manifests and data files.
type References struct {
	Versions int      // that have not expired
	Newest   *Version // the newest of them
	keys     map[string]bool
}

// Has says whether an object, by its key in the store, is needed.
func (r *References) Has(key string) bool { return r.keys[key] }

// Len is how many objects are needed.
func (r *References) Len() int { return len(r.keys) }

// References reads every version that has not expired, and every snapshot that one of them lists. Memory is about 150 bytes
// an object. A manifest that is gone is an error: what it named cannot be known. ErrRemote where a catalog keeps the versions.
func (t *Table) References(ctx context.Context) (*References, error) {
	if t.remote != nil {
		return nil, fmt.Errorf("references of %s: %w", t.Location(), ErrRemote)
	}
	all, err := t.versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("references of %s: %w", t.Location(), err)
	}
	c := collector{table: t, lists: map[string]table.Snapshot{}, manifests: map[string]bool{}, refs: &References{keys: map[string]bool{}}}
	if err = c.versions(ctx, all); err == nil {
		err = c.snapshots(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("references of %s: %w", t.Location(), err)
	}
	return c.refs, nil
}

// versionInfo is a version's object as it is listed.
type versionInfo struct {
	n int64
	objects.Info
}

// expired says whether it is a tombstone: no metadata is as short.
func (v *versionInfo) expired() bool { return v.Size <= int64(len(tombstoneDoc)) }

// versions lists the objects of all versions.
func (t *Table) versions(ctx context.Context) (all []versionInfo, err error) {
	for o, err := range t.store.List(ctx, t.Key("metadata")) {
		if err != nil {
			return nil, err
		}
		if n := versionOf(o.Key); n > 0 {
			all = append(all, versionInfo{n, o})
		}
	}
	if len(all) == 0 {
		return nil, ErrNoTable
	}
	return all, nil
}

// collector gathers references.
type collector struct {
	table     *Table
	mu        sync.Mutex
	lists     map[string]table.Snapshot
	manifests map[string]bool
	refs      *References
}

func (c *collector) versions(ctx context.Context, all []versionInfo) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mergeReaders)
	for i := range all {
		if all[i].expired() {
			continue
		}
		g.Go(func() error {
			v, err := c.table.read(ctx, all[i].n)
			if errors.Is(err, errTombstone) { // since it was listed
				return nil
			}
			if err != nil {
				return err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.refs.Versions++
			if c.refs.Newest == nil || v.N > c.refs.Newest.N {
				c.refs.Newest = v
			}
			for _, s := range v.Metadata.Snapshots() {
				c.lists[s.ManifestList] = s
			}
			return nil
		})
	}
	return g.Wait()
}

func (c *collector) snapshots(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mergeReaders)
	for _, s := range c.lists {
		g.Go(func() error { return c.snapshot(ctx, &s) })
	}
	return g.Wait()
}

// snapshot adds what one snapshot needs. Each manifest is read once, whoever names it first.
func (c *collector) snapshot(ctx context.Context, s *table.Snapshot) error {
	if err := c.add(s.ManifestList); err != nil {
		return err
	}
	fs := c.table.store.FS(ctx)
	manifests, err := s.Manifests(fs)
	if err != nil {
		return fmt.Errorf("read manifest list %s: %w", s.ManifestList, err)
	}
	for _, m := range manifests {
		c.mu.Lock()
		known := c.manifests[m.FilePath()]
		c.manifests[m.FilePath()] = true
		c.mu.Unlock()
		if known {
			continue
		}
		if err := c.add(m.FilePath()); err != nil {
			return err
		}
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return fmt.Errorf("read manifest %s: %w", m.FilePath(), err)
			}
			if err := c.add(e.DataFile().FilePath()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collector) add(uri string) error {
	key, err := c.table.store.Key(uri)
	if err != nil || !strings.HasPrefix(key, c.table.name+"/") {
		return fmt.Errorf("%w: %s lies outside the table", ErrDamaged, uri)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refs.keys[key] = true
	return nil
}

// Fence commits a version that changes nothing, and gives it with the time of the store at which it was made. Whatever was
// prepared on an earlier version can then no longer be committed, whoever prepared it and however long it slept.
func (t *Table) Fence(ctx context.Context) (v *Version, at time.Time, err error) {
	if t.remote != nil {
		return nil, time.Time{}, fmt.Errorf("fence %s: %w", t.Location(), ErrRemote)
	}
	err = t.onNewest(ctx, "fence "+t.Location(), func(base *Version) (err error) {
		v, err = t.commit(ctx, base, change{id: rand.Text(), op: table.OpAppend})
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := t.store.Head(ctx, t.versionKey(v.N))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("fence %s: %w", t.Location(), err)
	}
	return v, info.Modified, nil
}
