package year_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/serve/catalog"
)

// stamp is a time as PyIceberg's expressions have it.
const stamp = "2006-01-02T15:04:05+00:00"

// askScan plans and reads with PyIceberg, through the catalog, each time as a program that has just started would.
const askScan = `
import json, sys, time
from pyiceberg.catalog import load_catalog
a = json.loads(sys.argv[1])
where = f"event_time >= '{a['from']}' AND event_time < '{a['to']}'"
what = {"selected_fields": ("channel_id",)} if a["group"] else {}
load_catalog("warm", **a["catalog"]).load_table("lake.events").scan(row_filter=where, limit=1).to_arrow()  # imports, connections
for _ in range(a["runs"]):
    print("{}", flush=True)
    sys.stdin.readline()
    begin = time.time()
    scan = load_catalog("coldstream", **a["catalog"]).load_table("lake.events").scan(row_filter=where, **what)
    files = list(scan.plan_files())
    planned = time.time()
    rows = scan.to_arrow()
    if a["group"]:
        rows.group_by("channel_id").aggregate([([], "count_all")])
    print(json.dumps({"plan": planned - begin, "all": time.time() - begin, "files": len(files), "rows": rows.num_rows}), flush=True)
`

func askPyIceberg(t *testing.T, a testkit.S3Access, at time.Time) {
	t.Helper()
	if os.Getenv("COLDSTREAM_PYTHON") == "" {
		fmt.Println("PyIceberg: COLDSTREAM_PYTHON is not set")
		return
	}
	c := newCounter(t, a.Endpoint)
	server := httptest.NewServer(http.StripPrefix(catalog.Path, catalog.New(catalog.Config{
		Namespace: "lake", Tables: map[string]catalog.Source{"events": lakekit.Open(t, a, "")}, Storage: catalog.Storage{Endpoint: "http://" + c.addr, Region: a.Region},
	})))
	defer server.Close()
	ask := map[string]any{
		"runs": runs, "group": false, "from": at.Format(stamp), "to": at.Add(time.Hour).Format(stamp),
		"catalog": map[string]string{"type": "rest", "uri": server.URL + catalog.Path, "s3.access-key-id": a.AccessKey, "s3.secret-access-key": a.SecretKey},
	}
	askPython(t, c, "an hour, all columns", ask)
	day := at.Truncate(24 * time.Hour)
	ask["group"], ask["from"], ask["to"] = true, day.Format(stamp), day.AddDate(0, 0, 1).Format(stamp)
	askPython(t, c, "group-by over a day", ask)
}

func askPython(t *testing.T, c *counter, question string, ask map[string]any) {
	t.Helper()
	doc, err := json.Marshal(ask)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Getenv("COLDSTREAM_PYTHON"), "-c", askScan, string(doc))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	d := json.NewDecoder(out)
	var plan, all []time.Duration
	var first string
	for range runs {
		var ready struct{}
		require.NoError(t, d.Decode(&ready))
		c.reset()
		fmt.Fprintln(in)
		var got struct{ Plan, All float64 }
		require.NoError(t, d.Decode(&got))
		plan = append(plan, time.Duration(got.Plan*float64(time.Second)))
		all = append(all, time.Duration(got.All*float64(time.Second)))
		if first == "" {
			first = c.String()
		}
	}
	require.NoError(t, cmd.Wait())
	report("PyIceberg", question+", the plan alone", plan, "see below", "see below")
	report("PyIceberg", question, all, first, c.String())
}
