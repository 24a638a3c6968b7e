package lake

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"golang.org/x/sync/errgroup"
)

// Filter picks data files. Its zero value picks all.
type Filter struct {
	// From and To bound the event time, [From, To): files that cannot have such a row are left out. Zero: no bound.
	From, To time.Time
}

// File is one live data file of a version.
type File struct {
	Path     string // below the table's location, as in DataFile.Path
	URI      string // s3://…
	Size     int64
	Rows     int64
	Day      int32 // days since 1970-01-01 UTC
	Sequence int64 // sequence number of the snapshot that added it
	Stats    []ColumnStats
}

// Files lists the live data files of the version that the filter picks, by day, then path. It reads the manifest list
// and the manifests that may have such files, no data file.
func (v *Version) Files(ctx context.Context, f Filter) ([]File, error) {
	snap := v.Metadata.CurrentSnapshot()
	if snap == nil {
		return nil, nil
	}
	manifests, err := snap.Manifests(v.table.store.FS(ctx))
	if err != nil {
		return nil, fmt.Errorf("files of %s v%d: %w", v.table.Location(), v.N, err)
	}
	found := make([][]File, len(manifests))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mergeReaders)
	for i, m := range manifests {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return nil, fmt.Errorf("files of %s v%d: %w: it has delete files, which we never write",
				v.table.Location(), v.N, ErrDamaged)
		}
		if !f.mayMatch(m) {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = v.filesOf(ctx, m, f)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("files of %s v%d: %w", v.table.Location(), v.N, err)
	}
	all := slices.Concat(found...)
	slices.SortFunc(all, func(a, b File) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Path, b.Path)) })
	return all, nil
}

func (v *Version) filesOf(ctx context.Context, m iceberg.ManifestFile, f Filter) ([]File, error) {
	var out []File
	for e, err := range m.Entries(v.table.store.FS(ctx), true) {
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", m.FilePath(), err)
		}
		file, err := v.file(e)
		if err != nil {
			return nil, err
		}
		if f.picks(&file) {
			out = append(out, file)
		}
	}
	return out, nil
}

func (v *Version) file(e iceberg.ManifestEntry) (File, error) {
	d := e.DataFile()
	rel, ok := strings.CutPrefix(d.FilePath(), v.table.Location()+"/")
	if !ok {
		return File{}, fmt.Errorf("%w: %s lies outside the table", ErrDamaged, d.FilePath())
	}
	out := File{
		Path: rel, URI: d.FilePath(), Size: d.FileSizeBytes(), Rows: d.Count(),
		Day: dayOf(d), Sequence: e.SequenceNum(),
	}
	values, nulls, sizes := d.ValueCounts(), d.NullValueCounts(), d.ColumnSizes()
	lower, upper := d.LowerBoundValues(), d.UpperBoundValues()
	for id, n := range values {
		out.Stats = append(out.Stats, ColumnStats{
			FieldID: id, Values: n, Nulls: nulls[id], Bytes: sizes[id], Lower: lower[id], Upper: upper[id],
		})
	}
	slices.SortFunc(out.Stats, func(a, b ColumnStats) int { return a.FieldID - b.FieldID })
	return out, nil
}

// mayMatch looks at the bounds of the days in a manifest.
func (f Filter) mayMatch(m iceberg.ManifestFile) bool {
	low, high := int32(math.MinInt32), int32(math.MaxInt32)
	if !f.From.IsZero() {
		low = days(f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		high = days(f.To.Add(-1).UnixMilli())
	}
	return mayHaveDays(m, low, high)
}

func (f Filter) picksDays(low, high int32) bool {
	if !f.From.IsZero() && high < days(f.From.UnixMilli()) {
		return false
	}
	return f.To.IsZero() || low <= days(f.To.Add(-1).UnixMilli())
}

func (f Filter) picks(file *File) bool {
	if !f.picksDays(file.Day, file.Day) {
		return false
	}
	low, high, ok := file.EventTimes()
	if !ok {
		return true
	}
	return (f.From.IsZero() || !high.Before(f.From)) && (f.To.IsZero() || low.Before(f.To))
}

// EventTimes gives the lowest and the highest event time in the file; false where the manifest does not say.
func (f *File) EventTimes() (low, high time.Time, ok bool) {
	for _, s := range f.Stats {
		if s.FieldID != FieldEventTime {
			continue
		}
		a, err1 := readLongBound(s.Lower)
		b, err2 := readLongBound(s.Upper)
		return time.UnixMicro(a).UTC(), time.UnixMicro(b).UTC(), err1 == nil && err2 == nil
	}
	return time.Time{}, time.Time{}, false
}

// SequenceAt gives the sequence number that the table had at a time: files with a higher one were added later. The version
// lists its newest snapshots only; where all of those are later, it is the number before the oldest of them.
func (v *Version) SequenceAt(at time.Time) int64 {
	last, oldest := int64(-1), v.Metadata.LastSequenceNumber()
	for _, s := range v.Metadata.Snapshots() {
		if s.TimestampMs <= at.UnixMilli() {
			last = max(last, s.SequenceNumber)
		}
		oldest = min(oldest, s.SequenceNumber-1)
	}
	return max(last, oldest)
}
