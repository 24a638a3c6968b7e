package catalog_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/serve/catalog"
)

// useCatalog is what a user of PyIceberg would type, and what they must be refused.
const useCatalog = `
import json, sys
from pyiceberg.catalog import load_catalog
c = load_catalog("coldstream", **json.loads(sys.argv[1]))
t = c.load_table("lake.events")
rows = t.scan().to_arrow()
later = t.scan(row_filter="event_time >= '2024-10-05T00:00:00+00:00'")
try:
    t.delete()
    refused = ""
except NotImplementedError as e:
    refused = str(e)
print(json.dumps({
    "namespaces": c.list_namespaces(), "tables": c.list_tables("lake"), "exists": [c.table_exists("lake.events"), c.table_exists("lake.no")],
    "rows": rows.num_rows, "offsets": sum(rows.column("kafka_offset").to_pylist()),
    "later": later.to_arrow().num_rows, "planned": len(list(later.plan_files())), "refused": refused,
}))
`

func TestPyIcebergUsesTheCatalog(t *testing.T) {
	python := os.Getenv("COLDSTREAM_PYTHON")
	if python == "" {
		t.Skip("COLDSTREAM_PYTHON is not set: make test sets it to what scripts/python.sh prints")
	}
	a := testkit.S3(t)
	tab := lakekit.Open(t, a, "")
	lakekit.Fill(t, tab, 3, 10)
	for _, handedOut := range []bool{false, true} {
		s := catalog.Storage{Endpoint: "http://" + a.Endpoint, Region: a.Region}
		client := map[string]string{"type": "rest", "s3.access-key-id": a.AccessKey, "s3.secret-access-key": a.SecretKey}
		if handedOut {
			s.AccessKey, s.SecretKey = a.AccessKey, a.SecretKey
			client = map[string]string{"type": "rest"}
		}
		client["uri"] = start(t, catalog.Config{Tables: map[string]catalog.Source{"events": tab}, Storage: s})
		args, err := json.Marshal(client)
		require.NoError(t, err)
		out, err := exec.CommandContext(t.Context(), python, "-c", useCatalog, string(args)).Output()
		if failed := (*exec.ExitError)(nil); err != nil {
			_ = errors.As(err, &failed)
			t.Fatalf("pyiceberg: %v\n%s", err, failed.Stderr)
		}
		var got struct {
			Namespaces, Tables            [][]string
			Exists                        []bool
			Rows, Offsets, Later, Planned int
			Refused                       string
		}
		require.NoError(t, json.Unmarshal(out, &got), "%s", out)
		require.Equal(t, [][]string{{"lake"}}, got.Namespaces)
		require.Equal(t, [][]string{{"lake", "events"}}, got.Tables)
		require.Equal(t, []bool{true, false}, got.Exists)
		require.Equal(t, []int{30, 29 * 30 / 2, 20, 2}, []int{got.Rows, got.Offsets, got.Later, got.Planned})
		require.Contains(t, got.Refused, "does not support endpoint: POST", "what a writer is told")
	}
}
