package lake_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// recorded is what a worker of release 0.1 announced and uploaded: its records of topic `chunks`, and its files, which
// are put on the store.
func (b *bed) recorded(t *testing.T) (records [][]byte) {
	t.Helper()
	root := filepath.Join("testdata", "release-0.1")
	lines := must[[]byte](t)(os.ReadFile(filepath.Join(root, "chunks.ndjson")))
	for line := range bytes.Lines(lines) {
		records = append(records, bytes.TrimSpace(line))
	}
	files := must[[]string](t)(filepath.Glob(filepath.Join(root, "data", "*", "*.parquet")))
	for _, f := range files {
		rel := must[string](t)(filepath.Rel(root, f))
		must[objects.Info](t)(b.store.Put(t.Context(), b.Key(filepath.ToSlash(rel)), must[[]byte](t)(os.ReadFile(f))))
	}
	if len(records) != 2 || len(files) != 3 {
		t.Fatalf("%d records, %d files", len(records), len(files))
	}
	return records
}

// altered gives this release's columns, each changed by f.
func altered(f func(*iceberg.NestedField), more ...iceberg.NestedField) *iceberg.Schema {
	var fields []iceberg.NestedField
	for _, have := range lake.EventsSchema().Fields() {
		f(&have)
		fields = append(fields, have)
	}
	return iceberg.NewSchema(0, append(fields, more...)...)
}

// next is a release to come: one column more, one with another name, one wider.
func next() lake.Columns {
	return lake.Columns{Version: lake.SchemaVersion + 1, Schema: altered(func(f *iceberg.NestedField) {
		switch f.ID {
		case lake.FieldExtra:
			f.Name = "details"
		case lake.FieldRedactions:
			f.Type = iceberg.PrimitiveTypes.Int64
		}
	}, iceberg.NestedField{ID: lake.FieldUserName + 1, Name: "language", Type: iceberg.PrimitiveTypes.String})}
}

// The table's columns change while workers of the release before go on: their files are read by field ids, before and after.
func TestWorkersOfTheReleaseBeforeGoOn(t *testing.T) {
	b, access := engineBed(t)
	must[int](t)(b.EnsureSource(t.Context(), lake.Source{Cluster: "c", Topic: "events", TopicID: "id"}))
	recorded := b.recorded(t)
	commit := func(n int64) {
		t.Helper()
		done := must[lake.Committed](t)(b.committer(b.again(t, nil)).Commit(t.Context(), []lake.Record{{Offset: n, Value: recorded[n]}}))
		if done.Checkpoints != 1 {
			t.Fatalf("%+v", done)
		}
	}
	commit(0)
	if would := must[[]string](t)(b.Evolve(t.Context(), next(), true)); len(would) != 3 {
		t.Errorf("dry run: %v", would)
	}
	changed := must[[]string](t)(b.Evolve(t.Context(), next(), false))
	if got := strings.Join(changed, "; "); got != "column extra renamed to details; column redactions widened from int to long; column language string added (field id 23)" {
		t.Errorf("changed: %s", got)
	}
	commit(1)
	// A process of the release before comes up: it has nothing to change, and nothing back.
	for _, c := range []func() ([]string, error){
		func() ([]string, error) { return b.again(t, nil).EnsureSchema(t.Context(), false) },
		func() ([]string, error) { return b.again(t, nil).Evolve(t.Context(), next(), false) },
	} {
		if again := must[[]string](t)(c()); len(again) != 0 {
			t.Errorf("changed again: %v", again)
		}
	}
	if got := rows(t, b.again(t, nil)); got != 6 {
		t.Errorf("%d rows", got)
	}
	full := clickHouse(t, access, access.User, access.Password)
	if err := full.Exec(t.Context(), lake.EngineDDL(b.Table, lake.EngineOptions{})[0]); err != nil {
		t.Fatal(err)
	}
	got := query(t, full, "SELECT count(), uniqExact(kafka_offset), countIf(details LIKE '%attachments%'), countIf(language IS NULL), any(toTypeName(redactions)) FROM events_lake")
	if got != "6\t6\t1\t6\tNullable(Int64)" {
		t.Errorf("ClickHouse: %s", got)
	}
}

// What a worker of this release announces can be read by a committer of the one before: the format has not changed.
func TestRecordsAreWrittenAsTheReleaseBeforeWroteThem(t *testing.T) {
	b := newBed(t)
	for _, r := range b.recorded(t) {
		cp := must[*lake.Checkpoint](t)(lake.Decode(r))
		if again := must[[]byte](t)(lake.Encode(*cp)); !bytes.Equal(again, r) {
			t.Errorf("written\n%s\nwas\n%s", again, r)
		}
		for _, f := range cp.Files {
			body, _, err := b.store.Get(t.Context(), b.Key(f.Path))
			if err != nil || lake.Hash(body) != f.Hash {
				t.Fatalf("%s: %v", f.Path, err)
			}
			n := int64(0)
			for rows, err := range must[*parquet.Reader](t)(parquet.Open(bytes.NewReader(body), f.Size)).Batches(parquet.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				n += int64(rows.Len())
			}
			if n != f.Rows {
				t.Errorf("%s: %d rows of %d", f.Path, n, f.Rows)
			}
		}
	}
}

func TestEvolveRefuses(t *testing.T) {
	long, text := iceberg.PrimitiveTypes.Int64, iceberg.PrimitiveTypes.String
	same := func(*iceberg.NestedField) {}
	for name, s := range map[string]*iceberg.Schema{
		"a narrower type":       altered(func(f *iceberg.NestedField) { f.Type = narrower(f) }),
		"another type":          altered(func(f *iceberg.NestedField) { f.Type = other(f) }),
		"a new required column": altered(same, iceberg.NestedField{ID: 23, Name: "must", Type: long, Required: true}),
		"an optional required":  altered(func(f *iceberg.NestedField) { f.Required = true }),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			_, err := b.Evolve(t.Context(), lake.Columns{Version: 2, Schema: s}, false)
			wantErr(t, name, err, lake.ErrSchema)
		})
	}
	t.Run("an id that was another column's", func(t *testing.T) {
		b := newBed(t)
		// Ids are given out upwards: one below the highest ever given may have been a column that is gone.
		must[[]string](t)(b.Evolve(t.Context(), lake.Columns{Version: 2, Schema: altered(same, iceberg.NestedField{ID: 30, Name: "late", Type: text})}, false))
		_, err := b.Evolve(t.Context(), lake.Columns{Version: 3, Schema: altered(same, iceberg.NestedField{ID: 25, Name: "reused", Type: text})}, false)
		wantErr(t, "reused id", err, lake.ErrSchema)
	})
}

func narrower(f *iceberg.NestedField) iceberg.Type {
	if f.ID == lake.FieldEventID {
		return iceberg.PrimitiveTypes.Int32
	}
	return f.Type
}

func other(f *iceberg.NestedField) iceberg.Type {
	if f.ID == lake.FieldContent {
		return iceberg.PrimitiveTypes.Binary
	}
	return f.Type
}
