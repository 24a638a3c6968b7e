package lakekit_test

import (
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestBatchesThatTheSinkKeeps: the sink keeps a large batch instead of copying its rows, and then it is not the
// writer's to give back.
func TestBatchesThatTheSinkKeeps(t *testing.T) {
	const days, events = 3, 5000
	table := lakekit.Open(t, testkit.S3(t), "")
	lakekit.Fill(t, table, days, events)
	v, err := table.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := v.Files(t.Context(), lake.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for _, f := range files {
		rows += f.Rows
	}
	if len(files) != days || rows != days*events {
		t.Errorf("%d files of %d rows, want %d of %d", len(files), rows, days, days*events)
	}
}
