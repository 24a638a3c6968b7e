package lake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/coldstream/coldstream/internal/faults"
)

const formatVersion = 2

// stage writes the manifest of the added files and the manifest list, and gives the updates that make a snapshot of them.
//
// iceberg-go's Transaction would do the same, but it makes no snapshot where no file is added, and it
// removes what it wrote when a commit fails: of a commit that was lost in between, that would be the live files.
func (t *Table) stage(ctx context.Context, base *Version, c change) ([]table.Update, error) {
	w := &manifestWriter{
		table: t, ctx: ctx, meta: base.Metadata,
		id: c.id, snapshot: newSnapshotID(base.Metadata), sequence: base.Metadata.LastSequenceNumber() + 1,
	}
	parent := base.Metadata.CurrentSnapshot()
	manifests, err := w.inherited(parent)
	if err != nil {
		return nil, err
	}
	mergeFrom := mergeCount
	if len(c.remove) > 0 {
		mergeFrom = mergeSwap
		if manifests, err = w.remove(manifests, c.remove); err != nil {
			return nil, err
		}
	}
	if len(c.files) > 0 {
		added, err := w.add(c.files)
		if err != nil {
			return nil, err
		}
		manifests = append([]iceberg.ManifestFile{added}, manifests...)
	}
	if manifests, err = w.merge(manifests, mergeFrom); err != nil {
		return nil, err
	}
	schemaID := base.Metadata.CurrentSchema().ID
	snap := &table.Snapshot{
		SnapshotID: w.snapshot, SequenceNumber: w.sequence, SchemaID: &schemaID,
		TimestampMs: max(faults.Now().UnixMilli(), base.Metadata.LastUpdatedMillis()),
		Summary:     summarise(parent, c),
	}
	if parent != nil {
		snap.ParentSnapshotID = &parent.SnapshotID
	}
	if snap.ManifestList, err = w.list(snap, manifests); err != nil {
		return nil, err
	}
	updates := []table.Update{
		table.NewAddSnapshotUpdate(snap),
		table.NewSetSnapshotRefUpdate(table.MainBranch, snap.SnapshotID, table.BranchRef, 0, 0, 0),
	}
	if ids := union(forgotten(base.Metadata), c.forget); len(ids) > 0 {
		updates = append(updates, table.NewRemoveSnapshotsUpdate(ids, false))
	}
	return updates, nil
}

// keepSnapshots is how many snapshots the metadata lists. Each takes about 1 KiB of every version that follows: at a
// commit a minute, a table that never forgot one would write a gigabyte of metadata in its first day, and three more in
// its second. What only a forgotten snapshot needs stays on the store until the sweep.
const keepSnapshots = 100

// forgotten gives the snapshots that the next version does not list: the oldest, except those with a name.
func forgotten(meta table.Metadata) []int64 {
	all := meta.Snapshots()
	over := len(all) + 1 - keepSnapshots
	if over <= 0 {
		return nil
	}
	named := map[int64]bool{}
	for _, ref := range meta.Refs() {
		named[ref.SnapshotID] = true
	}
	slices.SortFunc(all, func(a, b table.Snapshot) int { return cmp.Compare(a.SequenceNumber, b.SequenceNumber) })
	var ids []int64
	for _, s := range all[:over] {
		if !named[s.SnapshotID] {
			ids = append(ids, s.SnapshotID)
		}
	}
	return ids
}

func union(a, b []int64) []int64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func newSnapshotID(meta table.Metadata) int64 {
	for {
		if id := rand.Int64N(1<<62) + 1; meta.SnapshotByID(id) == nil {
			return id
		}
	}
}

// summarise gives the snapshot's summary: Iceberg's counts, the commit id and the position.
func summarise(parent *table.Snapshot, c change) *table.Summary {
	var rows, size int64
	for _, f := range c.files {
		rows += f.Count()
		size += f.FileSizeBytes()
	}
	p := iceberg.Properties{
		summaryCommitID:    c.id,
		"added-data-files": strconv.Itoa(len(c.files)),
		"added-records":    strconv.FormatInt(rows, 10),
		"added-files-size": strconv.FormatInt(size, 10),
	}
	var goneRows, goneSize int64
	for i := range c.remove {
		goneRows += c.remove[i].Rows
		goneSize += c.remove[i].Size
	}
	if len(c.remove) > 0 {
		p["deleted-data-files"] = strconv.Itoa(len(c.remove))
		p["deleted-records"] = strconv.FormatInt(goneRows, 10)
		p["removed-files-size"] = strconv.FormatInt(goneSize, 10)
	}
	before := iceberg.Properties{}
	if parent != nil && parent.Summary != nil {
		before = parent.Summary.Properties
	}
	total := func(key string, added int64) {
		old, err := strconv.ParseInt(before[key], 10, 64)
		if err == nil || parent == nil { // a total that another writer left out cannot be carried on
			p[key] = strconv.FormatInt(old+added, 10)
		}
	}
	total("total-data-files", int64(len(c.files)-len(c.remove)))
	total("total-records", rows-goneRows)
	total("total-files-size", size-goneSize)
	for _, key := range []string{"total-delete-files", "total-position-deletes", "total-equality-deletes"} {
		total(key, 0)
	}
	if c.position == "" {
		c.position = before[summaryPosition]
	}
	if c.position != "" {
		p[summaryPosition] = c.position
	}
	maps.Copy(p, c.summary)
	return &table.Summary{Operation: c.op, Properties: p}
}

// dataFile gives a checkpoint's file as Iceberg's manifests want it.
func (t *Table) dataFile(spec iceberg.PartitionSpec, f *DataFile) (iceberg.DataFile, error) {
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, t.Location()+"/"+f.Path, iceberg.ParquetFile,
		map[int]any{dayFieldID: iceberg.Date(f.Day)}, nil, nil, f.Rows, f.Size)
	if err != nil {
		return nil, fmt.Errorf("data file %s: %w", f.Path, err)
	}
	values, nulls, sizes := map[int]int64{}, map[int]int64{}, map[int]int64{}
	lower, upper := map[int][]byte{}, map[int][]byte{}
	for _, s := range f.Stats {
		values[s.FieldID], nulls[s.FieldID] = s.Values, s.Nulls
		if s.Bytes > 0 {
			sizes[s.FieldID] = s.Bytes
		}
		if s.Lower != nil {
			lower[s.FieldID] = s.Lower
		}
		if s.Upper != nil {
			upper[s.FieldID] = s.Upper
		}
	}
	b.ValueCounts(values).NullValueCounts(nulls).LowerBoundValues(lower).UpperBoundValues(upper)
	if len(sizes) > 0 {
		b.ColumnSizes(sizes)
	}
	if len(f.Splits) > 0 {
		b.SplitOffsets(apart(f.Splits))
	}
	return b.Build(), nil
}

// splitBytes is how far apart the places are at which a manifest lets engines split a file. Every row group would be one:
// the 288 of a compacted day make its entry five times as large, and whoever plans reads the entries of many days.
const splitBytes = 16 << 20

// apart keeps the first split and those that are splitBytes behind the one kept before.
func apart(splits []int64) []int64 {
	kept := splits[:1:1]
	for _, at := range splits[1:] {
		if at-kept[len(kept)-1] >= splitBytes {
			kept = append(kept, at)
		}
	}
	return kept
}

// list writes the snapshot's manifest list and gives its address.
func (w *manifestWriter) list(s *table.Snapshot, manifests []iceberg.ManifestFile) (string, error) {
	var buf bytes.Buffer
	err := iceberg.WriteManifestList(formatVersion, &buf, s.SnapshotID, s.ParentSnapshotID, &s.SequenceNumber, 0, manifests)
	if err != nil {
		return "", fmt.Errorf("write manifest list: %w", err)
	}
	return w.put(fmt.Sprintf("metadata/snap-%d-0-%s.avro", s.SnapshotID, w.id), buf.Bytes())
}

func (w *manifestWriter) put(rel string, body []byte) (string, error) {
	key := w.table.Key(rel)
	if _, err := w.table.store.Put(w.ctx, key, body); err != nil {
		return "", err
	}
	return w.table.store.URI(key), nil
}
