package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake/objects"
)

// Keys in the summary of every snapshot that we write.
const (
	summaryCommitID = "coldstream.commit-id"
	summaryPosition = PropertyPosition
)

// change is what one commit does to a version.
type change struct {
	id       string             // random; how its author knows it again
	op       table.Operation    // append; replace where files take the place of others
	files    []iceberg.DataFile // to add
	remove   []File             // to take out; live in the version, or there is no commit
	forget   []int64            // snapshots that the version no longer lists, beside those that are too many
	schema   *iceberg.Schema    // the table's columns from this version on; nil: as they are
	props    iceberg.Properties // of the table, to set
	position string             // for the summary; "" keeps what the parent's says
	summary  iceberg.Properties // further entries of the summary
}

// commit makes v<N+1> of base, or none. Errors: ErrConflict and ErrUnsettled (load again), else nothing was done.
//
// The naive way is to load the table inside the commit and to try again on a conflict, as catalogs do. But then the
// position was checked against another version than the one that is replaced, and two committers can both be right. So
// everything here is made from base alone, and the number after base's is the only one that is ever written.
func (t *Table) commit(ctx context.Context, base *Version, c change) (*Version, error) {
	updates, err := t.stage(ctx, base, c)
	if err != nil {
		return nil, fmt.Errorf("commit to %s v%d: %w", t.Location(), base.N+1, err)
	}
	if c.schema != nil {
		updates = append(updates, table.NewAddSchemaUpdate(c.schema), table.NewSetCurrentSchemaUpdate(-1))
	}
	if len(c.props) > 0 { // a catalog refuses an update of none
		updates = append(updates, table.NewSetPropertiesUpdate(c.props))
	}
	if t.remote != nil {
		v, err := t.commitRemote(ctx, base, c.id, updates)
		if err != nil {
			return nil, fmt.Errorf("commit to %s v%d: %w", t.Location(), base.N+1, err)
		}
		return v, nil
	}
	meta, err := table.UpdateTableMetadata(base.Metadata, updates, base.MetadataLocation())
	if err != nil {
		return nil, fmt.Errorf("commit to %s v%d: %w", t.Location(), base.N+1, err)
	}
	doc, err := json.Marshal(meta)
	if err != nil {
		return nil, fmt.Errorf("commit to %s v%d: %w", t.Location(), base.N+1, err)
	}
	next, err := t.parse(base.N+1, doc) // as every reader will
	if err != nil {
		return nil, fmt.Errorf("commit to %s: %w", t.Location(), err)
	}
	faults.Point(faults.CommitterStaged)
	if _, err = t.store.PutIfAbsent(ctx, t.versionKey(next.N), doc); err != nil {
		if next, err = t.settle(ctx, next, c.id, err); err != nil {
			return nil, fmt.Errorf("commit to %s v%d: %w", t.Location(), base.N+1, err)
		}
	}
	faults.Point(faults.CommitterPut)
	t.remember(next)
	next.HintErr = t.raiseHint(ctx, next.N)
	return next, nil
}

// settle finds out whether a write that was not answered with success took place all the same, by looking for its
// commit id where it should be, and among its successors should the version have expired meanwhile.
func (t *Table) settle(ctx context.Context, want *Version, id string, cause error) (*Version, error) {
	if errors.Is(cause, objects.ErrDenied) {
		return nil, cause
	}
	faults.Point(faults.CommitterSettle)
	found, err := t.read(ctx, want.N)
	if errors.Is(err, errTombstone) {
		found, err = t.highest(ctx)
	}
	switch {
	case errors.Is(err, objects.ErrNotFound):
		return nil, fmt.Errorf("%w: %w", ErrUnsettled, cause)
	case err != nil:
		return nil, fmt.Errorf("%w: %w: %w", ErrUnsettled, cause, err)
	case found.hasCommit(id):
		return found, nil
	}
	return nil, ErrConflict
}

// hasCommit says whether the version contains the snapshot of a commit.
func (v *Version) hasCommit(id string) bool {
	for _, s := range v.Metadata.Snapshots() {
		if s.Summary != nil && s.Summary.Properties[summaryCommitID] == id {
			return true
		}
	}
	return false
}

// CommitID is the id of the commit that made the version; "" for the first.
func (v *Version) CommitID() string {
	if s := v.Metadata.CurrentSnapshot(); s != nil && s.Summary != nil {
		return s.Summary.Properties[summaryCommitID]
	}
	return ""
}
