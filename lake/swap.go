package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// ErrInputGone says that a file that a swap was to replace is not in the table any more: somebody else replaced it.
// Nothing was changed, and what was made from it must not be used.
var ErrInputGone = errors.New("a file to be replaced is not in the table any more")

// Swap puts some files into the place of others that hold the same rows.
type Swap struct {
	Remove []File     // live, as Version.Files gave them
	Add    []DataFile // on the store, all of them
	// Summary is told in the snapshot, beside Iceberg's own counts.
	Summary map[string]string
	// Check, if set, is asked before every try to commit. Its error gives the swap up.
	Check func(context.Context) error
}

// Swap commits a swap on the newest version, again and again while others are faster. It commits only on a version in which
// every file to be removed is live, so that a file is never replaced twice: ErrInputGone. The position stays what it is.
// Any number may swap and commit at once.
func (t *Table) Swap(ctx context.Context, s Swap) (*Version, error) {
	var tried []string // commit ids; one whose outcome was not known may have succeeded all the same
	var done *Version
	err := t.onNewest(ctx, fmt.Sprintf("replace %d files of %s", len(s.Remove), t.Location()), func(v *Version) error {
		if slices.ContainsFunc(tried, v.hasCommit) {
			done = v
			return nil
		}
		if err := s.ready(ctx, t); err != nil {
			return err
		}
		c, err := s.change(v)
		if err != nil {
			return err
		}
		tried = append(tried, c.id)
		done, err = t.commit(ctx, v, c)
		return err
	})
	return done, err
}

// ready looks whether the swap may still be made, and whether what it adds is there.
func (s *Swap) ready(ctx context.Context, t *Table) error {
	if s.Check != nil {
		if err := s.Check(ctx); err != nil {
			return err
		}
	}
	for i := range s.Add {
		f := &s.Add[i]
		if err := f.validate(); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if err := t.checkFile(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Swap) change(v *Version) (change, error) {
	c := change{id: rand.Text(), op: table.OpReplace, remove: s.Remove, summary: iceberg.Properties{}}
	maps.Copy(c.summary, s.Summary)
	spec := v.Metadata.PartitionSpec()
	for i := range s.Add {
		f, err := v.table.dataFile(spec, &s.Add[i])
		if err != nil {
			return c, err
		}
		c.files = append(c.files, f)
	}
	return c, nil
}

// remove takes files out of manifests: those that have one are written again. ErrInputGone where one is in none.
func (w *manifestWriter) remove(all []iceberg.ManifestFile, files []File) ([]iceberg.ManifestFile, error) {
	gone := make(map[string]bool, len(files))
	low, high := files[0].Day, files[0].Day
	for i := range files {
		gone[files[i].URI] = true
		low, high = min(low, files[i].Day), max(high, files[i].Day)
	}
	out := make([]iceberg.ManifestFile, 0, len(all))
	found := 0
	for _, m := range all {
		if !mayHaveDays(m, low, high) {
			out = append(out, m)
			continue
		}
		rest, n, err := w.without(m, gone)
		if err != nil {
			return nil, err
		}
		found += n
		out = append(out, rest)
	}
	if found != len(gone) {
		return nil, fmt.Errorf("%d of %d: %w", len(gone)-found, len(gone), ErrInputGone)
	}
	return out, nil
}

// without gives a manifest with the entries of some files marked as deleted, and how many there were.
func (w *manifestWriter) without(m iceberg.ManifestFile, gone map[string]bool) (iceberg.ManifestFile, int, error) {
	entries, err := w.entries([]iceberg.ManifestFile{m})
	if err != nil {
		return nil, 0, err
	}
	n := 0
	for _, e := range entries {
		if gone[e.DataFile().FilePath()] {
			n++
		}
	}
	if n == 0 {
		return m, 0, nil
	}
	rest, err := w.write(func(out *iceberg.ManifestWriter) error {
		for _, e := range entries {
			put := out.Existing
			if gone[e.DataFile().FilePath()] {
				put = out.Delete
			}
			if err := put(e); err != nil {
				return fmt.Errorf("manifest entry %s: %w", e.DataFile().FilePath(), err)
			}
		}
		return nil
	})
	return rest, n, err
}

// mayHaveDays looks at the bounds of the days in a manifest.
func mayHaveDays(m iceberg.ManifestFile, low, high int32) bool {
	parts := m.Partitions()
	if len(parts) != 1 || parts[0].LowerBound == nil || parts[0].UpperBound == nil {
		return true
	}
	first, err1 := readIntBound(*parts[0].LowerBound)
	last, err2 := readIntBound(*parts[0].UpperBound)
	return err1 != nil || err2 != nil || first <= high && last >= low
}
