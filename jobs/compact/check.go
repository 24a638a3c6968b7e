package compact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// check reads the new files back from the store, and compares what they hold with what was read, less the repeats.
func (w *work) check(ctx context.Context) error {
	want := w.in
	want.rows -= w.gone.rows
	want.sum.Sub(w.gone.sum)
	if w.in.rows != w.plan.Rows() {
		return fmt.Errorf("%w: %d rows were read of %d", ErrDiffers, w.in.rows, w.plan.Rows())
	}
	if int(w.gone.rows) != len(w.repeats) {
		return fmt.Errorf("%w: %d repeats were found and %d left out", ErrDiffers, len(w.repeats), w.gone.rows)
	}
	var have tally
	for i := range w.outputs {
		if err := w.readBack(ctx, &w.outputs[i], &have); err != nil {
			return fmt.Errorf("%s: %w", w.outputs[i].Path, err)
		}
	}
	if have != want {
		return fmt.Errorf("%w: %d rows with hash %016x%016x, and there should be %d with %016x%016x",
			ErrDiffers, have.rows, have.sum.Hi, have.sum.Lo, want.rows, want.sum.Hi, want.sum.Lo)
	}
	return nil
}

func (w *work) readBack(ctx context.Context, f *lake.DataFile, have *tally) error {
	body, _, err := w.cfg.Table.Store().Get(ctx, w.cfg.Table.Key(f.Path))
	if err != nil {
		return err
	}
	if lake.Hash(body) != f.Hash {
		return fmt.Errorf("%w: the store gives other bytes than were written", ErrDiffers)
	}
	r, err := parquet.Open(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	var hasher schemas.RowHasher
	for b, err := range r.Batches(parquet.Query{}) {
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDiffers, err)
		}
		for i := range b.Len() {
			have.add(hasher.Row(b, i))
		}
	}
	return ctx.Err()
}

// ListingVersion is the format of the objects that list what a compaction did.
const ListingVersion = 1

// Listing is what compactions/<id>.json says: which files took the place of which, and every repeat that was removed.
type Listing struct {
	FormatVersion int       `json:"format_version"`
	ID            string    `json:"id"`
	Day           string    `json:"day"`
	CreatedMs     int64     `json:"created_ms"`
	Inputs        []string  `json:"inputs"`
	Outputs       []string  `json:"outputs"`
	RowsIn        int64     `json:"rows_in"`
	RowsOut       int64     `json:"rows_out"`
	HashOut       string    `json:"hash_out"` // sum of the rows' hashes, 128 bits in hex
	Removed       []Removed `json:"removed"`
}

// Removed is a row that was left out, because another one of the same event stays. It has no text of a user: the reference of
// an opaque id stands in data files only.
type Removed struct {
	EventID   int64     `json:"event_id"`
	Source    int32     `json:"source"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Kept      KeptPlace `json:"kept"`
}

// KeptPlace is the source, partition and offset of the row that stays.
type KeptPlace struct {
	Source    int32 `json:"source"`
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

func removedRow(b *schemas.Batch, i int, kept place) Removed {
	return Removed{
		EventID: b.EventID[i], Source: b.Source[i], Partition: b.Partition[i], Offset: b.Offset[i],
		Kept: KeptPlace{kept.source, kept.partition, kept.offset},
	}
}

// list writes the listing, before the swap: no repeat goes unlisted.
func (w *work) list(ctx context.Context, path string) error {
	sum := w.in.sum
	sum.Sub(w.gone.sum)
	l := Listing{
		FormatVersion: ListingVersion, ID: w.id, Day: w.plan.Day.String(), CreatedMs: w.began.UnixMilli(),
		RowsIn: w.in.rows, RowsOut: w.in.rows - w.gone.rows, HashOut: fmt.Sprintf("%016x%016x", sum.Hi, sum.Lo), Removed: w.removed,
	}
	if l.Removed == nil {
		l.Removed = []Removed{}
	}
	for _, in := range w.inputs {
		l.Inputs = append(l.Inputs, in.file.Path)
	}
	for i := range w.outputs {
		l.Outputs = append(l.Outputs, w.outputs[i].Path)
	}
	doc, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if _, err := w.cfg.Table.Store().Put(ctx, w.cfg.Table.Key(path), doc); err != nil {
		return fmt.Errorf("list what was removed: %w", err)
	}
	return nil
}
