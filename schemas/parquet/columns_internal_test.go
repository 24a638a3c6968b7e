package parquet

import (
	"bytes"
	"testing"

	"github.com/coldstream/coldstream/schemas"
)

// A file of a release that called a column otherwise is read by the column's field id.
func TestColumnsAreFoundByTheirIds(t *testing.T) {
	b := schemas.GetBatch()
	defer b.Release()
	b.Append(&schemas.Row{EventID: 1, TypeName: []byte("message.created"), Time: 1, Extra: []byte(`{"a":1}`), Redactions: 3})
	w := NewWriter(Provenance{Checkpoint: "c", Worker: "w", Policy: 1, Epoch: schemas.DiscordEpoch})
	if err := w.WriteWindow(schemas.WindowOf(1), b, []int32{0}); err != nil {
		t.Fatal(err)
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for i := range columns {
		was := columns[i].name
		columns[i].name = "renamed_" + was
		defer func() { columns[i].name = was }()
	}
	r, err := Open(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	for got, err := range r.Batches(Query{}) {
		if err != nil || got.Len() != 1 || got.String(got.Extra[0]) != `{"a":1}` || got.Redactions[0] != 3 {
			t.Errorf("%v, %d rows", err, got.Len())
		}
	}
	if names := r.Unknown(); len(names) != 0 {
		t.Errorf("unknown: %v", names)
	}
}
