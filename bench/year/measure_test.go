package year_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/serve/catalog"
)

// runs is how often each question is asked; the first is told apart, because caches are cold.
const runs = 7

// measure asks for an hour and for a day in the middle of the table, and prints what it took.
func measure(t *testing.T, title string, a testkit.S3Access, at time.Time) {
	t.Helper()
	table := lakekit.Open(t, a, "")
	v, err := table.Load(t.Context())
	require.NoError(t, err)
	list, err := v.Manifests(t.Context())
	require.NoError(t, err)
	begin := time.Now()
	files, err := v.Files(t.Context(), lake.Filter{From: at, To: at.Add(time.Hour)})
	require.NoError(t, err)
	planned := time.Since(begin)
	var size, metas int64
	for _, f := range files {
		size += f.Size
	}
	for _, m := range list {
		metas += m.Size
	}
	fmt.Printf("\n%s: %d rows, %d manifests of %d bytes in all; the hour from %s is in %d files of %d bytes; planned by us in %v\n", title,
		committed(v), len(list), metas, at.Format(time.DateTime), len(files), size, planned.Round(100*time.Microsecond))
	askClickHouse(t, a, at)
	askPyIceberg(t, a, at)
}

// compactDays compacts the days around a time.
func compactDays(t *testing.T, a testkit.S3Access, at time.Time, days int) {
	t.Helper()
	c, err := compact.New(compact.Config{Table: lakekit.Open(t, a, "")})
	require.NoError(t, err)
	from := at.Truncate(24*time.Hour).AddDate(0, 0, -days/2)
	plans, err := c.All(t.Context(), compact.Range{From: from, To: from.AddDate(0, 0, days)})
	require.NoError(t, err)
	begin, in, out := time.Now(), 0, 0
	for i := range plans {
		r, err := c.Day(t.Context(), &plans[i])
		require.NoError(t, err)
		in, out = in+r.FilesIn, out+r.FilesOut
	}
	fmt.Printf("\ncompacted %d days from %s: %d files became %d in %v\n", len(plans), from.Format(time.DateOnly), in, out, time.Since(begin).Round(time.Millisecond))
}

func askClickHouse(t *testing.T, a testkit.S3Access, at time.Time) {
	t.Helper()
	c := newCounter(t, a.Endpoint)
	a.Endpoint = c.addr
	s, err := clickhouse.Start(t.Context(), clickhouse.Config{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: "p", AnalystUser: "a", AnalystPassword: "p",
		S3: &clickhouse.S3Access{Endpoint: "http://" + a.Endpoint, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket},
	})
	require.NoError(t, err)
	defer s.Close()
	ch, err := chhttp.New(chhttp.Config{Addr: s.Addr(), User: "u", Password: "p", Database: "default"})
	require.NoError(t, err)
	defer ch.CloseIdle()
	for _, sql := range lake.EngineDDL(lakekit.Open(t, a, ""), lake.EngineOptions{}) {
		require.NoError(t, ch.Exec(t.Context(), sql))
	}
	between := func(d time.Duration) string {
		return fmt.Sprintf(" FROM events WHERE event_time >= '%s' AND event_time < '%s'", at.Format(time.DateTime), at.Add(d).Format(time.DateTime))
	}
	day := at.Truncate(24 * time.Hour)
	for _, q := range [][2]string{
		{"an hour, all columns", "SELECT *" + between(time.Hour) + " FORMAT Null"},
		{"an hour, three columns", "SELECT channel_id, user_id, content" + between(time.Hour) + " FORMAT Null"},
		{"group-by over a day", fmt.Sprintf("SELECT channel_id, count() AS n FROM events WHERE event_time >= '%s' AND event_time < '%s' GROUP BY 1 ORDER BY n DESC LIMIT 10 FORMAT Null",
			day.Format(time.DateTime), day.AddDate(0, 0, 1).Format(time.DateTime))},
	} {
		var took []time.Duration
		var cold string
		for i := range runs {
			c.reset()
			begin := time.Now()
			require.NoError(t, ch.Exec(t.Context(), q[1]))
			took = append(took, time.Since(begin))
			if i == 0 {
				cold = c.String()
			}
		}
		report("ClickHouse", q[0], took, cold, c.String())
	}
}

func report(reader, question string, took []time.Duration, first, last string) {
	rest := slices.Sorted(slices.Values(took[1:]))
	fmt.Printf("%s, %s: first %v (%s); then %v (%s)\n", reader, question, took[0].Round(time.Millisecond), first,
		rest[len(rest)/2].Round(100*time.Microsecond), last)
}

// askHour plans and reads an hour with PyIceberg, through the catalog, each time as a program that has just started would.
const askHour = `
import json, sys, time
from pyiceberg.catalog import load_catalog
a = json.loads(sys.argv[1])
where = f"event_time >= '{a['from']}' AND event_time < '{a['to']}'"
load_catalog("warm", **a["catalog"]).load_table("lake.events").scan(row_filter=where, limit=1).to_arrow()  # imports, connections
for _ in range(a["runs"]):
    print("{}", flush=True)
    sys.stdin.readline()
    begin = time.time()
    scan = load_catalog("coldstream", **a["catalog"]).load_table("lake.events").scan(row_filter=where)
    files = list(scan.plan_files())
    planned = time.time()
    rows = scan.to_arrow().num_rows
    print(json.dumps({"plan": planned - begin, "all": time.time() - begin, "files": len(files), "rows": rows}), flush=True)
`

func askPyIceberg(t *testing.T, a testkit.S3Access, at time.Time) {
	t.Helper()
	python := os.Getenv("COLDSTREAM_PYTHON")
	if python == "" {
		fmt.Println("PyIceberg: COLDSTREAM_PYTHON is not set")
		return
	}
	c := newCounter(t, a.Endpoint)
	server := httptest.NewServer(http.StripPrefix(catalog.Path, catalog.New(catalog.Config{
		Namespace: "lake", Tables: map[string]catalog.Source{"events": lakekit.Open(t, a, "")}, Storage: catalog.Storage{Endpoint: "http://" + c.addr, Region: a.Region},
	})))
	defer server.Close()
	ask, err := json.Marshal(map[string]any{
		"from": at.Format("2006-01-02T15:04:05+00:00"), "to": at.Add(time.Hour).Format("2006-01-02T15:04:05+00:00"), "runs": runs,
		"catalog": map[string]string{"type": "rest", "uri": server.URL + catalog.Path, "s3.access-key-id": a.AccessKey, "s3.secret-access-key": a.SecretKey},
	})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), python, "-c", askHour, string(ask))
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
	report("PyIceberg", "planning an hour", plan, "see below", "see below")
	report("PyIceberg", "planning and reading an hour", all, first, c.String())
}
