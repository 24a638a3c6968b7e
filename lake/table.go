package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/coldstream/coldstream/lake/objects"
)

// EventsName is the table of events: its folder below the store's prefix.
const EventsName = "lake/events"

var (
	// ErrNoTable says that nothing was ever committed under the table's name.
	ErrNoTable = errors.New("no such table: run `coldstream init` first")
	// ErrConflict says that another writer took the version: load again, and see what is left to do.
	ErrConflict = errors.New("another writer committed first")
	// ErrUnsettled says that a commit was not seen to succeed and may yet: load again. It cannot happen twice,
	// because what is committed next takes the same version number.
	ErrUnsettled = errors.New("the outcome of the commit is not known")
	// ErrDamaged says that the table's metadata is not what its writers can have left.
	ErrDamaged = errors.New("the table's metadata is damaged")
)

// Table is one Iceberg table on an object store; its versions are files there, or in a catalog. It may be used by many goroutines; it keeps the last version seen.
type Table struct {
	store  *objects.Store
	name   string
	remote Remote // nil: the versions are files beside the data
	last   atomic.Pointer[Version]
}

// Version is one committed state of a table. It does not change.
type Version struct {
	N        int64 // of metadata/v<N>.metadata.json
	Metadata table.Metadata
	Position Position

	// HintErr is set by a commit that succeeded, but could not move version-hint.text: readers that go by the hint
	// lag until the next commit moves it.
	HintErr error

	at    string // where the metadata is kept, where that is not t's own choice
	table *Table
}

// OpenEvents names the table of events in a store. It does no I/O.
func OpenEvents(store *objects.Store) *Table { return &Table{store: store, name: EventsName} }

// Store gives the store that the table is on.
func (t *Table) Store() *objects.Store { return t.store }

// Location is the table's s3:// address, without a slash at its end.
func (t *Table) Location() string { return t.store.URI(t.name) }

// Key gives the store's key of a path below the table, as in DataFile.Path.
func (t *Table) Key(rel string) string { return path.Join(t.name, rel) }

func (t *Table) versionKey(n int64) string {
	return t.Key(fmt.Sprintf("metadata/v%d.metadata.json", n))
}

// Create makes the table of events unless there is one, and gives its current version either way. Several may try.
func (t *Table) Create(ctx context.Context) (*Version, error) {
	v, err := t.Load(ctx)
	if !errors.Is(err, ErrNoTable) {
		return v, err
	}
	if t.remote != nil {
		return t.createRemote(ctx)
	}
	spec := eventsSpec()
	meta, err := table.NewMetadata(EventsSchema(), &spec, table.UnsortedSortOrder, t.Location(), eventsProperties())
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", t.Location(), err)
	}
	doc, err := json.Marshal(meta)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", t.Location(), err)
	}
	_, putErr := t.store.PutIfAbsent(ctx, t.versionKey(1), doc)
	v, err = t.Load(ctx) // whoever made it, and whatever was answered: what counts is that it is there
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", t.Location(), errors.Join(putErr, err))
	}
	v.HintErr = t.raiseHint(ctx, v.N)
	return v, nil
}

// maxWalk is how many versions Load reads one after the other before it asks the hint for a nearer place: a worker that
// has loaded nothing for a month of commits would otherwise read all of them while its group waits.
const maxWalk = 4

// Load gives the newest version. Errors: ErrNoTable, ErrDamaged, ErrUnknownVersion, or the store's.
func (t *Table) Load(ctx context.Context) (*Version, error) {
	if t.remote != nil {
		return t.loadRemote(ctx)
	}
	v := t.last.Load()
	if v == nil {
		var err error
		if v, err = t.start(ctx); err != nil {
			return nil, fmt.Errorf("load %s: %w", t.Location(), err)
		}
	}
	for walked := 0; ; walked++ {
		if walked == maxWalk {
			near, err := t.start(ctx)
			if err != nil {
				return nil, fmt.Errorf("load %s: %w", t.Location(), err)
			}
			if near.N > v.N {
				v = near
			}
		}
		next, err := t.read(ctx, v.N+1)
		switch {
		case errors.Is(err, objects.ErrNotFound):
			t.remember(v)
			return v, nil
		case errors.Is(err, errTombstone): // we slept through whole generations of versions
			if next, err = t.highest(ctx); err == nil && next.N <= v.N {
				err = fmt.Errorf("%w: v%d has expired and nothing follows it", ErrDamaged, v.N+1)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", t.Location(), err)
		}
		v = next
	}
}

// start finds a version to walk on from: the hinted one, else the highest that is listed.
func (t *Table) start(ctx context.Context) (*Version, error) {
	n, _, err := t.hint(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return t.highest(ctx)
	}
	v, err := t.read(ctx, n)
	switch {
	case errors.Is(err, errTombstone): // the hint lags behind what has expired
		return t.highest(ctx)
	case errors.Is(err, objects.ErrNotFound):
		return nil, fmt.Errorf("%w: version-hint.text names v%d, which does not exist", ErrDamaged, n)
	}
	return v, err
}

// highest lists the versions and reads the highest.
func (t *Table) highest(ctx context.Context) (*Version, error) {
	var n int64
	for o, err := range t.store.List(ctx, t.Key("metadata")) {
		if err != nil {
			return nil, err
		}
		n = max(n, versionOf(o.Key))
	}
	if n == 0 {
		return nil, ErrNoTable
	}
	v, err := t.read(ctx, n)
	if errors.Is(err, errTombstone) || errors.Is(err, objects.ErrNotFound) {
		return nil, fmt.Errorf("%w: v%d is the highest version and cannot be read: %w", ErrDamaged, n, err)
	}
	return v, err
}

// versionOf gives N of …/v<N>.metadata.json, else 0.
func versionOf(key string) int64 {
	text, ok := strings.CutSuffix(path.Base(key), ".metadata.json")
	if !ok || !strings.HasPrefix(text, "v") {
		return 0
	}
	n, err := strconv.ParseInt(text[1:], 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// remember keeps v for the next Load, unless a newer one is kept.
func (t *Table) remember(v *Version) {
	for {
		old := t.last.Load()
		if old != nil && old.N >= v.N || t.last.CompareAndSwap(old, v) {
			return
		}
	}
}

// errTombstone says that a version has expired: its number stays taken.
var errTombstone = errors.New("the version has expired")

// tombstone is what expiry leaves in the place of an old version, so that its number is never free again.
type tombstone struct {
	Tombstone bool `json:"coldstream_tombstone"`
}

// read gives v<n>. Errors: objects.ErrNotFound, errTombstone, ErrDamaged, ErrUnknownVersion, or the store's.
func (t *Table) read(ctx context.Context, n int64) (*Version, error) {
	doc, _, err := t.store.Get(ctx, t.versionKey(n))
	if err != nil {
		return nil, err
	}
	var dead tombstone
	if json.Unmarshal(doc, &dead) == nil && dead.Tombstone {
		return nil, errTombstone
	}
	return t.parse(n, doc)
}

func (t *Table) parse(n int64, doc []byte) (*Version, error) {
	meta, err := table.ParseMetadataBytes(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: v%d: %w", ErrDamaged, n, err)
	}
	pos, err := readPosition(meta.Properties())
	if err != nil {
		return nil, fmt.Errorf("v%d: %w", n, err)
	}
	return &Version{N: n, Metadata: meta, Position: pos, table: t}, nil
}

// MetadataLocation is the s3:// address of the version's metadata.
func (v *Version) MetadataLocation() string {
	if v.at != "" {
		return v.at
	}
	return v.table.store.URI(v.table.versionKey(v.N))
}

// Properties are the table's properties at this version.
func (v *Version) Properties() iceberg.Properties { return v.Metadata.Properties() }
