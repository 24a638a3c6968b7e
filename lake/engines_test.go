package lake_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// chunkFile puts a real file with n events of one window on the store; the first event is number from.
func (b *bed) chunkFile(t *testing.T, path string, day int32, from, n int64) lake.DataFile {
	t.Helper()
	start := time.UnixMicro(int64(day) * dayUs).UTC()
	batch, c := schemas.GetBatch(), codec.JSON{Epoch: schemas.DiscordEpoch}
	defer batch.Release()
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
		at := start.Add(time.Duration(i) * time.Millisecond)
		doc := fmt.Sprintf(`{"event_id":"%d","channel_id":"7","user_id":"5","content":"number %d","timestamp":%q}`,
			schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(i)), from+int64(i), at.Format(time.RFC3339Nano))
		where := codec.Origin{Offset: from + int64(i), Time: at.UnixMicro()}
		if err := c.Decode(batch, []byte(doc), where); err != nil {
			t.Fatal(err)
		}
	}
	w := parquet.NewWriter(parquet.Provenance{Checkpoint: path, Worker: "w", Policy: 1, Epoch: schemas.DiscordEpoch})
	if err := w.WriteWindow(schemas.WindowOf(start.UnixMicro()), batch, order); err != nil {
		t.Fatal(err)
	}
	f := must[*parquet.File](t)(w.Finish())
	must[objects.Info](t)(b.store.Put(t.Context(), b.Key(path), f.Bytes))
	d := lake.DataFile{
		Path: path, Size: int64(len(f.Bytes)), Hash: lake.Hash(f.Bytes), Rows: f.Rows, Day: day, Policy: 1, Splits: f.Splits,
	}
	for _, c := range f.Chunks {
		d.Chunks = append(d.Chunks, lake.Chunk(c))
	}
	for _, s := range f.Stats {
		if s.HasBounds && !s.IsText && !s.IsInt {
			d.Stats = append(d.Stats, lake.ColumnStats{
				FieldID: s.FieldID, Values: s.Values, Nulls: s.Nulls, Lower: lake.LongBound(s.Min), Upper: lake.LongBound(s.Max),
			})
		}
	}
	return d
}

// fill commits one file of 10 events for each day.
func (b *bed) fill(t *testing.T, from int64, days ...int32) {
	t.Helper()
	for _, d := range days {
		id := fmt.Sprintf("cp-%d", from)
		c := b.checkpointOf(t, id, lake.SourceRange{From: from, Next: from + 10})
		c.Files = []lake.DataFile{b.chunkFile(t, "data/day="+schemas.Day(d).String()+"/"+id+".parquet", d, from, 10)}
		must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, from, c)))
		from += 10
	}
}

// engineBed is a table where the embedded ClickHouse may read it.
func engineBed(t *testing.T) (*bed, testkit.ClickHouseAccess) {
	t.Helper()
	ch := testkit.ClickHouse(t)
	b := &bed{config: objects.Config{
		Endpoint: ch.Lake.Endpoint, Region: ch.Lake.Region, AccessKey: ch.Lake.AccessKey, SecretKey: ch.Lake.SecretKey,
		Bucket: ch.Lake.Bucket, Prefix: testkit.Name(t), Transport: http.DefaultTransport,
	}}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	b.store = must[*objects.Store](t)(objects.Open(b.config))
	b.Table = lake.OpenEvents(b.store)
	must[*lake.Version](t)(b.Create(t.Context()))
	must[int](t)(b.EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: topic, TopicID: topicID}))
	return b, ch
}

func TestClickHouseReadsTheTable(t *testing.T) {
	for _, keys := range []bool{false, true} {
		t.Run(fmt.Sprintf("keys=%v", keys), func(t *testing.T) {
			b, access := engineBed(t)
			full := clickHouse(t, access, access.User, access.Password)
			analyst := clickHouse(t, access, access.AnalystUser, access.AnalystPassword)
			create := func() {
				t.Helper()
				for _, sql := range lake.EngineDDL(b.Table, lake.EngineOptions{Keys: keys}) {
					if err := full.Exec(t.Context(), sql); err != nil {
						t.Fatal(err)
					}
				}
			}
			count := func(where string) string {
				t.Helper()
				return query(t, analyst, "SELECT count(), uniqExact(kafka_offset), sum(kafka_offset) FROM events "+where)
			}
			create() // of a table without rows
			if got := count(""); got != "0\t0\t0" {
				t.Errorf("empty table: %s", got)
			}
			b.fill(t, 0, day, day+1)
			if got := count(""); got != "20\t20\t190" {
				t.Errorf("after two commits: %s", got)
			}
			b.fill(t, 20, day+2)
			if got := count(""); got != "30\t30\t435" {
				t.Errorf("a commit later: %s", got)
			}
			create() // again, over rows: the lake must not be touched
			if got := count("WHERE event_time >= toDateTime64('" + schemas.Day(day+1).String() + "', 6, 'UTC')"); got != "20\t20\t390" {
				t.Errorf("from the second day on: %s", got)
			}
			got := query(t, analyst, "SELECT channel_id, content, toTypeName(event_time) FROM events WHERE kafka_offset = 15")
			if got != "7\tnumber 15\tDateTime64(6, 'UTC')" {
				t.Errorf("one row: %s", got)
			}
		})
	}
}

func clickHouse(t *testing.T, a testkit.ClickHouseAccess, user, password string) *chhttp.Client {
	t.Helper()
	c := must[*chhttp.Client](t)(chhttp.New(chhttp.Config{Addr: a.Addr, User: user, Password: password, Database: a.Database}))
	t.Cleanup(c.CloseIdle)
	return c
}

func query(t *testing.T, c *chhttp.Client, sql string) string {
	t.Helper()
	return strings.TrimSpace(string(must[[]byte](t)(c.Query(t.Context(), sql+" FORMAT TSVRaw"))))
}

// python gives a Python that has pyiceberg, made by scripts/python.sh; without python3 the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("COLDSTREAM_PYTHON"); p != "" {
		return p
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 here: PyIceberg is not tried")
	}
	out, err := exec.CommandContext(t.Context(), "../scripts/python.sh").Output()
	if err != nil {
		t.Fatalf("scripts/python.sh: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// readTable reads a table by its folder, as a notebook would: by the version hint, and by a metadata file.
const readTable = `
import json, sys
from pyiceberg.table import StaticTable
from pyiceberg.expressions import GreaterThanOrEqual
a = json.loads(sys.argv[1])
props = {"s3.endpoint": a["endpoint"], "s3.access-key-id": a["key"], "s3.secret-access-key": a["secret"], "s3.region": a["region"]}
def look(where):
    t = StaticTable.from_metadata(where, props)
    rows = t.scan().to_arrow()
    scan = t.scan(row_filter=GreaterThanOrEqual("event_time", a["since"]))
    offsets = rows.column("kafka_offset").to_pylist()
    return {
        "rows": rows.num_rows, "distinct": len(set(offsets)), "sum": sum(offsets),
        "columns": rows.column_names, "time": str(rows.schema.field("event_time").type),
        "planned": len(list(scan.plan_files())), "late": scan.to_arrow().num_rows,
        "content": sorted(rows.column("content").to_pylist())[0],
    }
print(json.dumps([look(a["folder"]), look(a["metadata"])]))
`

func TestPyIcebergReadsTheTable(t *testing.T) {
	py, b := python(t), newBed(t)
	b.fill(t, 0, day, day+1, day+2)
	v := must[*lake.Version](t)(b.Load(t.Context()))
	args := must[[]byte](t)(json.Marshal(map[string]string{
		"endpoint": "http://" + b.config.Endpoint, "key": b.config.AccessKey, "secret": b.config.SecretKey, "region": b.config.Region,
		"folder": b.Location(), "metadata": v.MetadataLocation(), "since": schemas.Day(day+1).String() + "T00:00:00+00:00",
	}))
	out, err := exec.CommandContext(t.Context(), py, "-c", readTable, string(args)).CombinedOutput()
	if err != nil {
		t.Fatalf("pyiceberg: %v\n%s", err, out)
	}
	var got []struct {
		Rows, Distinct, Sum, Planned, Late int
		Columns                            []string
		Time, Content                      string
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err = json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil || len(got) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	for i, g := range got {
		if g.Rows != 30 || g.Distinct != 30 || g.Sum != 435 || g.Planned != 2 || g.Late != 20 || len(g.Columns) != 22 ||
			g.Content != "number 0" || !strings.Contains(g.Time, "timestamp[us, tz=UTC]") {
			t.Errorf("look %d: %+v", i, g)
		}
	}
}
