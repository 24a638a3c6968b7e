package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/coldstream/coldstream/lake/objects"
)

// Remote keeps the versions of a table in a catalog, in the place of version files beside the data. It is an interface so
// that this package knows no protocol: package lake/rest has the one of Iceberg's REST catalogs.
type Remote interface {
	// Load gives the newest metadata and where it is kept. ErrNoTable where there is no table.
	Load(ctx context.Context) (table.Metadata, string, error)
	// Create makes the table at a location, and its namespace. One that is there already is no error.
	Create(ctx context.Context, location string, schema *iceberg.Schema, spec iceberg.PartitionSpec, props iceberg.Properties) error
	// Commit applies updates if every requirement holds, all or nothing, and is asked once: it does not try again.
	// ErrConflict: a requirement did not hold. ErrDenied: refused for good, nothing was changed. Any other error
	// leaves open whether the updates were, or will yet be, applied.
	Commit(ctx context.Context, must []table.Requirement, updates []table.Update) (table.Metadata, string, error)
}

// ErrRemote says that something is the catalog's to do, where a catalog keeps the versions.
var ErrRemote = errors.New("the table's versions are in a REST catalog: orphan files and old metadata are its own maintenance's to remove")

// ErrDenied is objects.ErrDenied: the store or the catalog refused the credentials or the permission; nothing was written.
var ErrDenied = objects.ErrDenied

// OpenEventsIn names the table of events whose files are in a store and whose versions are in a catalog. It does no I/O.
func OpenEventsIn(store *objects.Store, r Remote) *Table {
	return &Table{store: store, name: EventsName, remote: r}
}

// Remote says whether the versions are in a catalog rather than beside the data.
func (t *Table) Remote() bool { return t.remote != nil }

// loadRemote gives the catalog's newest version.
func (t *Table) loadRemote(ctx context.Context) (*Version, error) {
	meta, at, err := t.remote.Load(ctx)
	var v *Version
	if err == nil {
		v, err = t.remoteVersion(meta, at)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s from its catalog: %w", t.Location(), err)
	}
	return v, nil
}

func (t *Table) remoteVersion(meta table.Metadata, at string) (*Version, error) {
	if meta.Location() != t.Location() {
		return nil, fmt.Errorf("%w: the catalog's table is at %s, and this process is configured for %s: set s3.bucket, s3.prefix and "+
			"lake.rest.namespace to match", ErrForeign, meta.Location(), t.Location())
	}
	pos, err := readPosition(meta.Properties())
	if err != nil {
		return nil, err
	}
	// Each of our commits makes a snapshot, so that the sequence number counts versions as the files' names do.
	return &Version{N: meta.LastSequenceNumber() + 1, Metadata: meta, Position: pos, at: at, table: t}, nil
}

func (t *Table) createRemote(ctx context.Context) (*Version, error) {
	createErr := t.remote.Create(ctx, t.Location(), EventsSchema(), eventsSpec(), eventsProperties())
	v, err := t.loadRemote(ctx) // whoever made it, and whatever was answered: what counts is that it is there
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", t.Location(), errors.Join(createErr, err))
	}
	return v, nil
}

// commitRemote makes the version after base, or none, as commit does: the catalog is told which table and which snapshot
// the change was made from, and refuses it over any other. So nobody can commit over a position that they did not see.
func (t *Table) commitRemote(ctx context.Context, base *Version, id string, updates []table.Update) (*Version, error) {
	var from *int64
	if s := base.Metadata.CurrentSnapshot(); s != nil {
		from = &s.SnapshotID
	}
	must := []table.Requirement{table.AssertTableUUID(base.Metadata.TableUUID()), table.AssertRefSnapshotID(table.MainBranch, from)}
	meta, at, err := t.remote.Commit(ctx, must, updates)
	if err == nil {
		return t.remoteVersion(meta, at)
	}
	if errors.Is(err, ErrDenied) {
		return nil, err
	}
	found, loadErr := t.loadRemote(ctx)
	switch {
	case loadErr != nil:
		return nil, fmt.Errorf("%w: %w: %w", ErrUnsettled, err, loadErr)
	case found.hasCommit(id):
		return found, nil
	case errors.Is(err, ErrConflict), !sameSnapshot(found, base):
		return nil, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	// Base is still the newest. Should the lost request arrive yet, it finds it so or it is refused; what is committed
	// next asks for the same, so that only one of the two can be.
	return nil, fmt.Errorf("%w: %w", ErrUnsettled, err)
}

func sameSnapshot(a, b *Version) bool {
	x, y := a.Metadata.CurrentSnapshot(), b.Metadata.CurrentSnapshot()
	if x == nil || y == nil {
		return x == y
	}
	return x.SnapshotID == y.SnapshotID
}
