package lake

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake/objects"
)

// tombstoneDoc is what an expired version's object says.
const tombstoneDoc = `{"coldstream_tombstone":true}`

// Expiry is what Expire did, or would do.
type Expiry struct {
	Snapshots int   `json:"snapshots"`     // forgotten by the newest version
	Versions  int   `json:"versions"`      // that became tombstones
	Bytes     int64 `json:"bytes"`         // freed
	Kept      int   `json:"versions_kept"` // that can still be read
	Oldest    int64 `json:"oldest"`        // number of the oldest of them
	Newest    int64 `json:"newest"`        // number of the newest
	DryRun    bool  `json:"dry_run"`       // nothing was changed
	Before    int64 `json:"before_ms"`     // what was replaced before this time has expired, Unix milliseconds
}

// Expire lets go of versions and snapshots that were replaced by another one before a time: the newest version forgets the
// snapshots, by a commit if there are any, and each old version's object is overwritten by a tombstone, so that its number is
// never free again. Data files and manifests are left to sweep. before is in the store's time; pass a margin that no reader
// of an old version takes longer than. Progress, if not nil, is told of tombstones. It may be interrupted and run again.
func (t *Table) Expire(ctx context.Context, before time.Time, dryRun bool, progress func(done, total int64)) (Expiry, error) {
	e := Expiry{DryRun: dryRun, Before: before.UnixMilli()}
	err := t.onNewest(ctx, "expire snapshots of "+t.Location(), func(v *Version) error {
		old := v.replaced(before)
		if e.Snapshots = len(old); len(old) == 0 || dryRun {
			return nil
		}
		_, err := t.commit(ctx, v, change{id: rand.Text(), op: table.OpAppend, forget: old})
		return err
	})
	if err != nil || t.remote != nil { // a catalog's old metadata is its own
		return e, err
	}
	all, err := t.versions(ctx)
	if err != nil {
		return e, fmt.Errorf("expire versions of %s: %w", t.Location(), err)
	}
	old := e.old(all, before)
	if dryRun {
		return e, nil
	}
	faults.Point(faults.ExpireForgot)
	// Whoever goes by the hint alone would find a tombstone, had its last commit not come to raise it.
	if err = t.raiseHint(ctx, e.Newest); err != nil {
		return e, fmt.Errorf("expire versions of %s: %w", t.Location(), err)
	}
	if err = t.bury(ctx, old, progress); err != nil {
		return e, fmt.Errorf("expire versions of %s: %w", t.Location(), err)
	}
	return e, nil
}

// replaced gives the snapshots that another one took the place of before a time, but for those that have a name.
func (v *Version) replaced(before time.Time) (ids []int64) {
	all := v.Metadata.Snapshots()
	slices.SortFunc(all, func(a, b table.Snapshot) int { return cmp.Compare(a.SequenceNumber, b.SequenceNumber) })
	named := map[int64]bool{}
	for _, ref := range v.Metadata.Refs() {
		named[ref.SnapshotID] = true
	}
	for i := 0; i+1 < len(all); i++ {
		if all[i+1].TimestampMs < before.UnixMilli() && !named[all[i].SnapshotID] {
			ids = append(ids, all[i].SnapshotID)
		}
	}
	return ids
}

// old picks the versions to bury: those whose successor was written before a time, or is buried itself. The newest never.
func (e *Expiry) old(all []versionInfo, before time.Time) (old []versionInfo) {
	slices.SortFunc(all, func(a, b versionInfo) int { return cmp.Compare(a.n, b.n) })
	e.Newest, e.Oldest = all[len(all)-1].n, all[len(all)-1].n
	for i := range all {
		if all[i].expired() {
			continue
		}
		if i+1 < len(all) && (all[i+1].expired() || all[i+1].Modified.Before(before)) {
			old = append(old, all[i])
			e.Versions++
			e.Bytes += all[i].Size - int64(len(tombstoneDoc))
			continue
		}
		e.Kept++
		e.Oldest = min(e.Oldest, all[i].n)
	}
	return old
}

// bury overwrites versions by tombstones, a few at a time.
func (t *Table) bury(ctx context.Context, old []versionInfo, progress func(done, total int64)) error {
	var g errgroup.Group
	g.SetLimit(mergeReaders)
	for i := range old {
		if ctx.Err() != nil {
			break
		}
		if progress != nil {
			progress(int64(i), int64(len(old)))
		}
		g.Go(func() error {
			_, err := t.store.PutIfMatch(ctx, t.versionKey(old[i].n), old[i].ETag, []byte(tombstoneDoc))
			if errors.Is(err, objects.ErrPrecondition) { // another expiry was here
				return nil
			}
			faults.Point(faults.ExpireBuried)
			return err
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}
