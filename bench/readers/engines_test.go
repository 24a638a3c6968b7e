package readers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/lake"
)

// engine is one reader. It gives errNotHere where it is not installed.
type engine struct {
	name, way string
	read      func(ctx context.Context, w *world, snapshot int64) (answer, error)
}

var errNotHere = errors.New("not installed")

var engines = []engine{
	{"PyIceberg", "REST catalog", python("pyiceberg")},
	{"Polars", "REST catalog, own Parquet reader", python("polars")},
	{"pyarrow", "files of the plan", python("pyarrow")},
	{"DuckDB", "REST catalog", python("duckdb")},
	{"ClickHouse", "Iceberg table engine", clickHouse},
	{"Iceberg Java", "REST catalog", java},
	{"Spark", "REST catalog", spark},
}

// python runs testdata/read.py.
func python(reader string) func(context.Context, *world, int64) (answer, error) {
	return func(ctx context.Context, w *world, snapshot int64) (answer, error) {
		bin := os.Getenv("COLDSTREAM_PYTHON")
		if bin == "" {
			return answer{}, errNotHere
		}
		a := w.access.Lake
		ask, err := json.Marshal(map[string]any{
			"reader": reader, "uri": w.catalog, "snapshot": snapshot,
			"s3": map[string]string{"endpoint": "http://" + a.Endpoint, "key": a.AccessKey, "secret": a.SecretKey, "region": a.Region},
		})
		if err != nil {
			return answer{}, err
		}
		return run(ctx, bin, "testdata/read.py", string(ask))
	}
}

// java runs testdata/Read.java as a single-file program.
func java(ctx context.Context, w *world, snapshot int64) (answer, error) {
	jars := os.Getenv("COLDSTREAM_ICEBERG")
	if jars == "" {
		return answer{}, errNotHere
	}
	a := w.access.Lake
	return run(ctx, "java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", jars+"/*", "testdata/Read.java",
		w.catalog, a.AccessKey, a.SecretKey, strconv.FormatInt(snapshot, 10))
}

// spark runs testdata/ReadSpark.java, with what Spark asks of Java 17.
func spark(ctx context.Context, w *world, snapshot int64) (answer, error) {
	jars := os.Getenv("COLDSTREAM_SPARK")
	if jars == "" {
		return answer{}, errNotHere
	}
	a := w.access.Lake
	args := []string{"-Xmx1g", "-cp", jars + "/*"}
	for _, opened := range []string{
		"java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
		"java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar",
	} {
		args = append(args, "--add-opens=java.base/"+opened+"=ALL-UNNAMED")
	}
	return run(ctx, "java", append(args, "testdata/ReadSpark.java", w.catalog, a.AccessKey, a.SecretKey, strconv.FormatInt(snapshot, 10))...)
}

func run(ctx context.Context, name string, args ...string) (answer, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true")
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return answer{}, fmt.Errorf("%s: %w\n%s", name, err, failed.Stderr)
	}
	var got answer
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	return got, err
}

// clickHouse computes the answer in SQL, over the table that the view `events` reads.
func clickHouse(ctx context.Context, w *world, snapshot int64) (answer, error) {
	a := w.access
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	if err != nil {
		return answer{}, err
	}
	defer c.CloseIdle()
	for _, sql := range lake.EngineDDL(w.table, lake.EngineOptions{}) {
		if err := c.Exec(ctx, sql); err != nil {
			return answer{}, err
		}
	}
	got := answer{}
	var cells []string
	for _, f := range lake.EventsSchema().Fields() {
		got.Columns = append(got.Columns, f.Name)
		value := f.Name
		if strings.HasSuffix(f.Name, "_time") {
			value = "toUnixTimestamp64Micro(" + f.Name + ")"
		}
		cells = append(cells, "ifNull(toString("+value+"), '\\0')")
	}
	sql := fmt.Sprintf(`SELECT version(), count(), sum(toInt128(event_id)), sum(toInt128(kafka_offset)),
		lower(leftPad(hex(sum(reinterpretAsUInt64(substring(MD5(concat(%s)), 1, 8)))), 16, '0')) FROM events_lake SETTINGS iceberg_snapshot_id = %d FORMAT TSV`,
		strings.Join(cells, `, '\x1f', `), snapshot)
	begin := time.Now()
	out, err := c.Query(ctx, sql)
	if err != nil {
		return answer{}, err
	}
	got.Seconds = time.Since(begin).Seconds()
	if _, err = fmt.Sscan(string(out), &got.Version, &got.Rows, &got.EventIDs, &got.Offsets, &got.Digest); err != nil {
		return answer{}, fmt.Errorf("%q: %w", out, err)
	}
	if out, err = c.Query(ctx, "SELECT count(kafka_offset) FROM events FORMAT TSV"); err == nil {
		_, err = fmt.Sscan(string(out), &got.Head)
	}
	return got, err
}
