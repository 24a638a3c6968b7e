package lake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"
)

const (
	// mergeCount small manifests are merged, so that the manifest list does not grow with the number of commits.
	mergeCount = 100
	// mergeSwap is mergeCount for a commit that takes files out. There are few of those, they have read manifests anyway, and a
	// year that is compacted day by day would end as a hundred manifests of one file each, and of entries of what is gone.
	mergeSwap = 8
	// manifestFiles is how many files a merged manifest has, at most; one that has less than half is small. A file takes
	// some 250 bytes: at one file a window a manifest spans a day or two in 80 to 130 KB, and that is what a reader of an
	// hour reads of them. Larger ones make the list of a year shorter and every look at an hour longer: docs/adr/0033.
	manifestFiles = 500
	// mergeReaders is how many manifests are read at once.
	mergeReaders = 8
)

// manifestWriter makes the manifests of one commit.
type manifestWriter struct {
	ctx      context.Context
	table    *Table
	meta     table.Metadata
	id       string // of the commit; in the names of what it writes
	snapshot int64
	sequence int64
	written  int
}

// inherited gives the manifests of the parent, but those whose files are all gone.
func (w *manifestWriter) inherited(parent *table.Snapshot) ([]iceberg.ManifestFile, error) {
	if parent == nil {
		return nil, nil
	}
	all, err := parent.Manifests(w.table.store.FS(w.ctx))
	if err != nil {
		return nil, fmt.Errorf("read manifest list %s: %w", parent.ManifestList, err)
	}
	return slices.DeleteFunc(all, func(m iceberg.ManifestFile) bool { return !m.HasAddedFiles() && !m.HasExistingFiles() }), nil
}

// add writes one manifest of new files.
func (w *manifestWriter) add(files []iceberg.DataFile) (iceberg.ManifestFile, error) {
	return w.write(func(m *iceberg.ManifestWriter) error {
		for _, f := range files {
			if err := m.Add(iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &w.snapshot, nil, nil, f)); err != nil {
				return fmt.Errorf("manifest entry %s: %w", f.FilePath(), err)
			}
		}
		return nil
	})
}

// merge writes the small manifests anew once there are as many as given: live entries only, in the order of their days, in
// manifests that end with a day where they can.
func (w *manifestWriter) merge(all []iceberg.ManifestFile, from int) ([]iceberg.ManifestFile, error) {
	var small, rest []iceberg.ManifestFile
	for _, m := range all {
		mine := m.PartitionSpecID() == int32(w.meta.DefaultPartitionSpec()) &&
			m.ManifestContent() == iceberg.ManifestContentData && m.SnapshotID() != w.snapshot
		if mine && m.AddedDataFiles()+m.ExistingDataFiles() < manifestFiles/2 {
			small = append(small, m)
		} else {
			rest = append(rest, m)
		}
	}
	if len(small) < from {
		return all, nil
	}
	entries, err := w.entries(small)
	if err != nil || len(entries) == 0 {
		return rest, err
	}
	slices.SortStableFunc(entries, func(a, b iceberg.ManifestEntry) int {
		return cmp.Or(cmp.Compare(dayOf(a.DataFile()), dayOf(b.DataFile())),
			cmp.Compare(a.DataFile().FilePath(), b.DataFile().FilePath()))
	})
	for _, part := range cutByDay(entries) {
		merged, err := w.existing(part)
		if err != nil {
			return nil, err
		}
		rest = append(rest, merged)
	}
	return rest, nil
}

// cutByDay cuts entries, which are in the order of their days, into parts of at most manifestFiles, at the end of a day
// where a part is at least half full by then. So no part but the last is small.
func cutByDay(entries []iceberg.ManifestEntry) [][]iceberg.ManifestEntry {
	var parts [][]iceberg.ManifestEntry
	start, border := 0, 0 // border: the last end of a day at which the part may be cut
	for i := range entries {
		if i > start && dayOf(entries[i].DataFile()) != dayOf(entries[i-1].DataFile()) && i-start >= manifestFiles/2 {
			border = i
		}
		if i-start < manifestFiles {
			continue
		}
		end := i
		if border > start {
			end = border
		}
		parts = append(parts, entries[start:end])
		start = end
	}
	return append(parts, entries[start:])
}

// existing writes one manifest of entries that are in the table already.
func (w *manifestWriter) existing(entries []iceberg.ManifestEntry) (iceberg.ManifestFile, error) {
	return w.write(func(m *iceberg.ManifestWriter) error {
		for _, e := range entries {
			if err := m.Existing(e); err != nil {
				return fmt.Errorf("manifest entry %s: %w", e.DataFile().FilePath(), err)
			}
		}
		return nil
	})
}

// entries reads the live entries of manifests.
func (w *manifestWriter) entries(manifests []iceberg.ManifestFile) ([]iceberg.ManifestEntry, error) {
	read := make([][]iceberg.ManifestEntry, len(manifests))
	g, ctx := errgroup.WithContext(w.ctx)
	g.SetLimit(mergeReaders)
	for i, m := range manifests {
		g.Go(func() error {
			for e, err := range m.Entries(w.table.store.FS(ctx), true) {
				if err != nil {
					return fmt.Errorf("read manifest %s: %w", m.FilePath(), err)
				}
				read[i] = append(read[i], e)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(read...), nil
}

// write makes a manifest of what fill adds.
func (w *manifestWriter) write(fill func(*iceberg.ManifestWriter) error) (iceberg.ManifestFile, error) {
	var buf bytes.Buffer
	m, err := iceberg.NewManifestWriter(formatVersion, &buf, w.meta.PartitionSpec(), w.meta.CurrentSchema(), w.snapshot)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	if err = fill(m); err != nil {
		return nil, err
	}
	if err = m.Close(); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	at, err := w.put(fmt.Sprintf("metadata/%s-m%d.avro", w.id, w.written), buf.Bytes())
	if err != nil {
		return nil, err
	}
	w.written++
	file, err := m.ToManifestFile(at, int64(buf.Len()))
	if err != nil {
		return nil, fmt.Errorf("describe manifest %s: %w", at, err)
	}
	return file, nil
}

// dayOf gives the partition of a file: days since 1970-01-01.
func dayOf(f iceberg.DataFile) int32 {
	switch d := f.Partition()[dayFieldID].(type) {
	case iceberg.Date:
		return int32(d)
	case int32:
		return d
	}
	return 0
}
