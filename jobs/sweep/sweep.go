// Package sweep deletes the objects of the archive's table that nothing can need any more: files of checkpoints that were never
// announced, what compactions replaced or abandoned, manifests of forgotten snapshots and of lost commits.
//
// [Run] is the one to know. An object goes only if all of this holds:
//
//   - it was written more than the margin ago, by the store's own clock;
//   - no snapshot of any version that has not expired needs it (see lake.Table.Expire: a version expires some time after it
//     was replaced, so a file that was just taken out of the table is needed for as long);
//   - no record of topic `chunks` from the table's position to its end names it, committed or not;
//   - its name is one that this project gives. Others, versions, the hint and the listings of compactions are left alone.
//
// It refuses to run while the committer is further behind than a quarter of the margin, or where records of `chunks` are
// missing. It begins with a commit that changes nothing, so that no writer that slept through the margin can commit
// what it prepared; workers and compactors give up files older than a quarter of the margin. It reads no rows.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// ErrBehind says that checkpoints wait for the committer for longer than a quarter of the margin.
var ErrBehind = errors.New("the committer is too far behind: nothing is swept until it has caught up")

// Config is what a sweep needs. Zero values take the defaults named.
type Config struct {
	Table  *lake.Table
	Client []kgo.Opt // how to reach the brokers
	Chunks string    // topic of checkpoint records

	// Margin is how long an object is left alone after it was written; default 24 hours. Workers and compactors give up files
	// older than a quarter of it, so every process must have the same.
	Margin time.Duration
	// DryRun only looks, and commits nothing either.
	DryRun bool

	Log *slog.Logger
	// Progress, if set, is told how far a stage is; total 0: not known.
	Progress func(stage string, done, total int64)
	// Now, if set, is used instead of the store's clock.
	Now func() time.Time
}

// Result is what was deleted, or would be.
type Result struct {
	DryRun     bool     `json:"dry_run"`
	Deleted    []Object `json:"deleted"`
	Bytes      int64    `json:"bytes"`
	Seen       int64    `json:"seen"`       // objects below the table's location
	Referenced int64    `json:"referenced"` // of them: needed by a version or named in `chunks`
	Young      int64    `json:"young"`      // needed by nothing that is known, and written within the margin
	Unknown    []string `json:"unknown"`    // names that are not ours; left alone
	Versions   int      `json:"versions"`   // that were read
}

// Object is one object below the table's location.
type Object struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

const (
	defaultMargin = 24 * time.Hour
	deleters      = 8
	mostUnknown   = 100 // names that a result lists
)

// Run sweeps once. It may be interrupted and run again, and any number may run at once.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Margin == 0 {
		cfg.Margin = defaultMargin
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string, int64, int64) {}
	}
	s := &sweep{cfg: &cfg, result: Result{DryRun: cfg.DryRun, Deleted: []Object{}, Unknown: []string{}}}
	if err := s.run(ctx); err != nil {
		return s.result, fmt.Errorf("sweep %s: %w", cfg.Table.Location(), err)
	}
	return s.result, nil
}

type sweep struct {
	cfg       *Config
	refs      *lake.References
	announced map[string]bool // keys that `chunks` names
	before    time.Time       // what was written later is left alone
	now       time.Time
	result    Result
}

func (s *sweep) run(ctx context.Context) (err error) {
	if s.now, err = s.clock(ctx); err != nil {
		return err
	}
	faults.Point(faults.SweepFenced)
	s.before = s.now.Add(-s.cfg.Margin)
	s.cfg.Progress("read versions", 0, 0)
	if s.refs, err = s.cfg.Table.References(ctx); err != nil {
		return err
	}
	s.result.Versions = s.refs.Versions
	s.cfg.Progress("read chunks", 0, 0)
	// From the position of a version that was read, and after it: what is committed meanwhile is in one of the two.
	if err = s.readChunks(ctx, s.refs.Newest.Position.Chunks); err != nil {
		return err
	}
	found, err := s.list(ctx)
	if err != nil || s.cfg.DryRun {
		s.result.Deleted = append(s.result.Deleted, found...)
		s.sum()
		return err
	}
	faults.Point(faults.SweepListed)
	err = s.delete(ctx, found)
	s.sum()
	return err
}

func (s *sweep) sum() {
	for _, o := range s.result.Deleted {
		s.result.Bytes += o.Size
	}
}

// clock fences writers that slept, and gives the store's time.
func (s *sweep) clock(ctx context.Context) (time.Time, error) {
	at := time.Time{}
	if s.cfg.DryRun {
		v, err := s.cfg.Table.Load(ctx)
		if err != nil {
			return at, err
		}
		at = time.UnixMilli(max(v.Metadata.LastUpdatedMillis(), time.Now().UnixMilli()))
	} else {
		var err error
		if _, at, err = s.cfg.Table.Fence(ctx); err != nil {
			return at, err
		}
	}
	if s.cfg.Now != nil {
		at = s.cfg.Now()
	}
	return at, nil
}

// list finds what may go.
func (s *sweep) list(ctx context.Context) (found []Object, err error) {
	t := s.cfg.Table
	for o, err := range t.Store().List(ctx, strings.TrimSuffix(t.Key("x"), "/x")) {
		if err != nil {
			return nil, err
		}
		s.result.Seen++
		s.cfg.Progress("list objects", s.result.Seen, 0)
		rel := strings.TrimPrefix(o.Key, t.Key("x")[:len(t.Key("x"))-1])
		switch mine, sweepable := nameOf(rel); {
		case !mine:
			if len(s.result.Unknown) < mostUnknown {
				s.result.Unknown = append(s.result.Unknown, rel)
			}
		case !sweepable, s.refs.Has(o.Key), s.announced[o.Key]:
			s.result.Referenced++
		case !o.Modified.Before(s.before):
			s.result.Young++
		default:
			found = append(found, Object{rel, o.Size, o.Modified})
		}
	}
	return found, nil
}

// nameOf says whether a path is one that this project makes, and whether it is of a kind that is swept at all.
func nameOf(rel string) (mine, sweepable bool) {
	folder, _, _ := strings.Cut(rel, "/")
	switch ext := path.Ext(rel); {
	case folder == "data" && ext == ".parquet", folder == "metadata" && ext == ".avro", folder == "checkpoints" && ext == ".json":
		return true, true
	case folder == "metadata" && (strings.HasSuffix(rel, ".metadata.json") || rel == "metadata/version-hint.text"),
		folder == "compactions" && ext == ".json":
		return true, false
	}
	return false, false
}

// delete removes objects, a few at a time.
func (s *sweep) delete(ctx context.Context, found []Object) error {
	done := make([]bool, len(found))
	var n atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(deleters)
	for i := range found {
		g.Go(func() error {
			if gctx.Err() != nil {
				return gctx.Err()
			}
			err := s.cfg.Table.Store().Remove(gctx, s.cfg.Table.Key(found[i].Path))
			if err != nil && !errors.Is(err, objects.ErrNotFound) {
				return err
			}
			faults.Point(faults.SweepDeleted)
			done[i] = true
			s.cfg.Progress("delete", n.Add(1), int64(len(found)))
			return nil
		})
	}
	err := g.Wait()
	for i := range found {
		if done[i] {
			s.result.Deleted = append(s.result.Deleted, found[i])
		}
	}
	return err
}
