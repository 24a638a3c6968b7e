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
	// mergeBytes is the size from which a manifest is left alone; some 30,000 files. The merge of a hundred small
	// ones reads and writes no more than that.
	mergeBytes = 8 << 20
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

// inherited gives the manifests of the parent, all of them.
func (w *manifestWriter) inherited(parent *table.Snapshot) ([]iceberg.ManifestFile, error) {
	if parent == nil {
		return nil, nil
	}
	m, err := parent.Manifests(w.table.store.FS(w.ctx))
	if err != nil {
		return nil, fmt.Errorf("read manifest list %s: %w", parent.ManifestList, err)
	}
	return m, nil
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

// merge makes one manifest of the small ones once there are many, in the order of their days; live entries only.
func (w *manifestWriter) merge(all []iceberg.ManifestFile) ([]iceberg.ManifestFile, error) {
	var small, rest []iceberg.ManifestFile
	total := int64(0)
	for _, m := range all {
		mine := m.PartitionSpecID() == int32(w.meta.DefaultPartitionSpec()) &&
			m.ManifestContent() == iceberg.ManifestContentData && m.SnapshotID() != w.snapshot
		if mine && total+m.Length() <= mergeBytes {
			total += m.Length()
			small = append(small, m)
		} else {
			rest = append(rest, m)
		}
	}
	if len(small) < mergeCount {
		return all, nil
	}
	entries, err := w.entries(small)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(entries, func(a, b iceberg.ManifestEntry) int {
		return cmp.Or(cmp.Compare(dayOf(a.DataFile()), dayOf(b.DataFile())),
			cmp.Compare(a.DataFile().FilePath(), b.DataFile().FilePath()))
	})
	if len(entries) == 0 {
		return rest, nil
	}
	merged, err := w.write(func(m *iceberg.ManifestWriter) error {
		for _, e := range entries {
			if err := m.Existing(e); err != nil {
				return fmt.Errorf("manifest entry %s: %w", e.DataFile().FilePath(), err)
			}
		}
		return nil
	})
	return append(rest, merged), err
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
