package lake_test

import (
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
)

// Day after day is compacted. What a reader then has to go through is the entries of the new files: not those of what they
// replaced, nor a manifest for each day.
func TestSwapsLeaveFewManifests(t *testing.T) {
	const days, each = 20, 3
	b := newBed(t)
	next := int64(0)
	for d := range int32(days) {
		for i := range each {
			c := b.checkpoint(t, fmt.Sprintf("cp-%d", next), next, next+10)
			c.Files = []lake.DataFile{b.file(t, fmt.Sprintf("data/day=%s/cp-%d.parquet", schemas.Day(day+d), i), day+d, 10)}
			must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 2*next, c)))
			next += 10
		}
	}
	for d := range int32(days) {
		var old []lake.File
		for _, f := range live(t, b.Table) {
			if f.Day == day+d {
				old = append(old, f)
			}
		}
		f := b.file(t, fmt.Sprintf("data/day=%s/merged.parquet", schemas.Day(day+d)), day+d, 10*each)
		for g := range int64(288) { // 5 MB apart
			f.Splits = append(f.Splits, 4+g*5e6)
		}
		must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{Remove: old, Add: []lake.DataFile{f}}))
	}
	v := must[*lake.Version](t)(b.Load(t.Context()))
	if n := len(live(t, b.Table)); n != days {
		t.Errorf("%d files, want %d", n, days)
	}
	list := must[[]iceberg.ManifestFile](t)(v.Metadata.CurrentSnapshot().Manifests(b.store.FS(t.Context())))
	deleted, splits := 0, 0
	for _, m := range list {
		deleted += int(m.DeletedDataFiles())
		for e, err := range m.Entries(b.store.FS(t.Context()), true) {
			if err != nil {
				t.Fatal(err)
			}
			splits = max(splits, len(e.DataFile().SplitOffsets()))
		}
	}
	if len(list) > 9 || deleted > 9*each {
		t.Errorf("%d manifests with %d entries of files that are gone", len(list), deleted)
	}
	if splits != 72 {
		t.Errorf("%d places to split the file at, want one every 20 MB of 1,440", splits)
	}
}
