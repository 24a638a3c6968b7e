package rebuild

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// file is one data file on the store.
type file struct {
	path    string // below the table's location
	size    int64
	rank    int      // files of lower rank are taken first
	removed []record // repeats that the compaction which made it left out; with its first file only
}

// record is where a row came from.
type record struct {
	Source    int32 `json:"source"`
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// The ranks: what a finished compaction made, the newest first; what workers wrote; what is left of unfinished compactions.
const (
	rankCompacted = iota
	rankWorker
	rankUnfinished
)

// listing is what compactions/<id>.json says, as far as it is needed.
type listing struct {
	CreatedMs int64    `json:"created_ms"`
	Outputs   []string `json:"outputs"`
	Removed   []record `json:"removed"`
}

// find lists the data files, and brings them into the order in which they are taken.
func (r *rebuild) find(ctx context.Context) error {
	t := r.cfg.Table
	byPath := map[string]*file{}
	for o, err := range t.Store().List(ctx, t.Key("data")) {
		if err != nil {
			return err
		}
		if rel := strings.TrimPrefix(o.Key, t.Key("data")); path.Ext(rel) == ".parquet" {
			f := &file{path: "data" + rel, size: o.Size, rank: rankWorker}
			if base := path.Base(rel); strings.HasPrefix(base, "compact-") || strings.HasPrefix(base, "late-") {
				f.rank = rankUnfinished
			}
			byPath[f.path] = f
			r.files = append(r.files, f)
		}
	}
	r.result.Found = len(r.files)
	made := map[*file]int64{}
	if err := r.listings(ctx, func(l *listing) {
		for _, p := range l.Outputs {
			if byPath[p] == nil {
				return // not all of it is there
			}
		}
		for i, p := range l.Outputs {
			f := byPath[p]
			if f.rank, made[f] = rankCompacted, l.CreatedMs; i == 0 {
				f.removed = l.Removed
			}
		}
	}); err != nil {
		return err
	}
	slices.SortFunc(r.files, func(a, b *file) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(made[b], made[a]), cmp.Compare(a.path, b.path))
	})
	return nil
}

// listings reads what compactions listed; each was written once its files were there and had been compared.
func (r *rebuild) listings(ctx context.Context, use func(*listing)) error {
	t := r.cfg.Table
	for o, err := range t.Store().List(ctx, t.Key("compactions")) {
		if err != nil {
			return err
		}
		body, _, err := t.Store().Get(ctx, o.Key)
		if err != nil {
			return err
		}
		var l listing
		if err := json.Unmarshal(body, &l); err != nil {
			return fmt.Errorf("%s: %w", o.Key, err)
		}
		use(&l)
	}
	return nil
}

var recordColumns = []string{"source", "kafka_partition", "kafka_offset"}

// take decides about one file.
func (r *rebuild) take(ctx context.Context, f *file) error {
	in, err := parquet.Open(r.blocks.Open(ctx, r.cfg.Table.Key(f.path), f.size), f.size)
	if err != nil {
		if ctx.Err() != nil || !errors.Is(err, parquet.ErrFormat) && !errors.Is(err, objects.ErrNotFound) && isStore(err) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	r.epoch = in.Provenance().Epoch
	for _, s := range in.Provenance().Sources {
		r.topics[s.Source] = lake.Source{Cluster: s.Cluster, Topic: s.Topic, TopicID: s.TopicID}
	}
	have, rows := map[sourceKey]*roaring64.Bitmap{}, int64(0)
	for b, err := range in.Batches(parquet.Query{Columns: recordColumns}) {
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		for i := range b.Len() {
			bitmap(have, b.Source[i], b.Partition[i]).Add(uint64(b.Offset[i]))
		}
		rows += int64(b.Len())
	}
	known, distinct := uint64(0), uint64(0)
	for k, bits := range have {
		distinct += bits.GetCardinality()
		if old := r.taken[k]; old != nil {
			known += bits.AndCardinality(old)
		}
	}
	defer r.leaveOut(f)
	switch {
	case known == distinct:
		r.result.LeftOut++
		return nil
	case known == 0 && distinct == uint64(rows):
		r.whole(f, in)
	default:
		if err := r.part(ctx, f, in); err != nil {
			return err
		}
	}
	for k, bits := range have {
		bitmap(r.taken, k.source, k.partition).Or(bits)
	}
	return nil
}

// leaveOut keeps the repeats out that a compaction removed, also where a later one has all of its rows.
func (r *rebuild) leaveOut(f *file) {
	for _, gone := range f.removed {
		if bitmap(r.taken, gone.Source, gone.Partition).CheckedAdd(uint64(gone.Offset)) {
			r.result.Repeats++
		}
	}
}

// isStore says whether an error came from the store rather than from what a file holds.
func isStore(err error) bool {
	return errors.Is(err, objects.ErrDenied) || errors.Is(err, objects.ErrNoBucket) || strings.Contains(err.Error(), "s3://")
}

func bitmap(of map[sourceKey]*roaring64.Bitmap, source, partition int32) *roaring64.Bitmap {
	k := sourceKey{source, partition}
	if of[k] == nil {
		of[k] = roaring64.New()
	}
	return of[k]
}

// whole takes a file as it is.
func (r *rebuild) whole(f *file, in *parquet.Reader) {
	stats, splits := in.Stats()
	chunks := in.Chunks()
	day := schemas.DayOf(chunks[0].WindowMs * 1000)
	file := &parquet.File{Rows: in.Rows(), Chunks: chunks, Stats: stats, Splits: splits}
	d := lake.Describe(file, f.path, int32(day), in.Provenance().Policy)
	d.Size, d.Hash = f.size, ""
	r.live = append(r.live, d)
	r.result.Whole++
	r.result.Rows += d.Rows
}

// part writes the rows of a file whose records are not taken yet to a file of their own.
func (r *rebuild) part(ctx context.Context, f *file, in *parquet.Reader) error {
	r.result.Part++
	from := in.Provenance()
	from.Checkpoint, from.Worker = r.id, "rebuild"
	w := parquet.NewWriter(from)
	seen := map[record]bool{}
	var day schemas.Day
	rows := int64(0)
	for _, c := range in.Chunks() {
		day = schemas.DayOf(c.WindowMs * 1000)
		n, err := r.rest(w, in, c, seen)
		if err != nil {
			return err
		}
		rows += n
	}
	r.result.Rows += rows
	if r.cfg.DryRun {
		return nil
	}
	out, err := w.Finish()
	if err != nil {
		return err
	}
	at := fmt.Sprintf("data/day=%s/rebuilt-%d-%s-%05d.parquet", day, r.began.UnixMilli(), r.id, r.result.Part)
	if _, err := r.cfg.Table.Store().Put(ctx, r.cfg.Table.Key(at), out.Bytes); err != nil {
		return err
	}
	r.live = append(r.live, lake.Describe(out, at, int32(day), from.Policy))
	return nil
}

// rest adds the new rows of one chunk.
func (r *rebuild) rest(w *parquet.Writer, in *parquet.Reader, c parquet.Chunk, seen map[record]bool) (int64, error) {
	b := schemas.GetBatch()
	defer b.Release()
	for g := c.RowGroup; g < c.RowGroup+c.RowGroups; g++ {
		if err := in.ReadRowGroup(b, g, nil); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
	}
	var keep []int32
	for i := range b.Len() {
		at := record{b.Source[i], b.Partition[i], b.Offset[i]}
		if old := r.taken[sourceKey{at.Source, at.Partition}]; old != nil && old.Contains(uint64(at.Offset)) || seen[at] {
			continue
		}
		seen[at] = true
		keep = append(keep, int32(i))
	}
	if len(keep) == 0 {
		return 0, nil
	}
	return int64(len(keep)), w.WriteWindow(schemas.Window(c.WindowMs*1000), b, keep)
}
