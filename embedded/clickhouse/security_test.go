package clickhouse_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// TestOutOfReach tries every way out of the engine that is known, as the full user and as the analyst. None may answer,
// and none may leave a trace outside the engine's folder.
func TestOutOfReach(t *testing.T) {
	dir := t.TempDir()
	secret, loot := filepath.Join(dir, "secret"), filepath.Join(dir, "loot")
	require.NoError(t, os.WriteFile(secret, []byte("1\tthe-secret\n"), 0o644))
	contacted := make(chan struct{}, 100)
	bait, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer bait.Close()
	go func() {
		for {
			c, err := bait.Accept()
			if err != nil {
				return
			}
			c.Close()
			contacted <- struct{}{}
		}
	}()
	must(t, shared, "CREATE TABLE reach (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	fill := strings.NewReplacer("SECRET", secret, "LOOT", loot, "BAIT", bait.Addr().String())
	for i, sql := range []string{
		// Files.
		"SELECT * FROM file('SECRET', 'LineAsString')",
		"SELECT file('SECRET')",
		"SELECT FILE ( 'SECRET' )",
		"SELECT `file`('SECRET')",
		"SELECT \"file\"/**/('SECRET')",
		"SELECT `fi\\x6ce`('SECRET')",
		"SELECT * APPLY(file) FROM (SELECT 'SECRET')",
		"SELECT * APPLY file FROM (SELECT 'SECRET')",
		"SELECT * APPLY(x -> file(x)) FROM (SELECT 'SECRET')",
		"CREATE FUNCTION fileOf AS (x) -> file(x)",
		"SELECT * FROM `SECRET`",
		"SELECT * FROM default.`SECRET`",
		"SELECT * FROM fileCluster('default', 'SECRET', 'LineAsString')",
		"SELECT * FROM icebergLocal('SECRET')",
		"SELECT * FROM deltaLakeLocal('SECRET')",
		"SELECT * FROM sqlite('SECRET', 'a')",
		"CREATE TABLE f (a String) ENGINE = File(LineAsString, 'SECRET')",
		"CREATE TABLE f (a String) ENGINE = `File`(LineAsString, 'SECRET')",
		"CREATE TABLE f (a String) ENGINE File(LineAsString)",
		"CREATE TABLE f ENGINE = IcebergLocal('SECRET')",
		"CREATE TEMPORARY TABLE f (a String) ENGINE = File(LineAsString, 'SECRET')",
		"CREATE DATABASE f ENGINE = Filesystem('" + dir + "')",
		"CREATE DATABASE f ENGINE = SQLite('LOOT')",
		"ATTACH TABLE f FROM '" + dir + "' (a UInt64) ENGINE = MergeTree ORDER BY a",
		"CREATE TABLE f (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 'local', path = 'LOOT')",
		"INSERT INTO reach FROM INFILE 'SECRET' FORMAT TSV",
		"INSERT INTO reach FROM/**/INFILE 'SECRET' FORMAT TSV",
		"SELECT 1 INTO OUTFILE 'LOOT'",
		"SELECT 1 INTO\u00a0OUTFILE 'LOOT'",
		"SELECT 1 INTO -- x\n OUTFILE 'LOOT' TRUNCATE",
		"INSERT INTO FUNCTION file('LOOT', 'TSV', 'a UInt8') VALUES (1)",
		"INSERT INTO FUNCTION file('LOOT') SELECT 1",
		"BACKUP TABLE reach TO File('LOOT')",
		"BACKUP TABLE reach TO Disk('default', 'LOOT')",
		"RESTORE TABLE reach FROM File('SECRET')",
		"SELECT 1 AS a FORMAT Template SETTINGS format_template_row = 'SECRET'",
		"SET format_schema = 'SECRET'",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(FILE(path 'SECRET' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"SELECT catboostEvaluate('SECRET', 1)",
		// Programs.
		"SELECT * FROM executable('touch LOOT', 'TSV', 'a String')",
		"CREATE TABLE x (a String) ENGINE = Executable('touch', 'TSV')",
		"CREATE TABLE x (a String) ENGINE = ExecutablePool('touch', 'TSV')",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(EXECUTABLE(command 'touch LOOT' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE/**/(`executable`(command 'touch LOOT' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
		// Other hosts.
		"SELECT * FROM url('http://BAIT/', 'LineAsString')",
		"SELECT * FROM s3('http://BAIT/bucket/x', 'LineAsString')",
		"SELECT * FROM s3('http://BAIT/bucket/x', 'k', 's', 'LineAsString')",
		"SELECT * FROM iceberg('http://BAIT/bucket/x')",
		"SELECT * FROM deltaLake('http://BAIT/bucket/x')",
		"SELECT * FROM gcs('http://BAIT/bucket/x', 'k', 's')",
		"SELECT * FROM azureBlobStorage('http://BAIT/', 'c', 'b', 'a', 'a', 'CSV', 'auto', 'a String')",
		"SELECT * FROM hdfs('hdfs://BAIT/x', 'TSV', 'a String')",
		"SELECT * FROM remote('BAIT', system.one)",
		"SELECT * FROM remoteSecure('BAIT', system.one)",
		"SELECT * FROM mysql('BAIT', 'a', 'b', 'c', 'd')",
		"SELECT * FROM postgresql('BAIT', 'a', 'b', 'c', 'd')",
		"SELECT * FROM mongodb('BAIT', 'a', 'b', 'c', 'd', 'a String')",
		"SELECT * FROM redis('BAIT', 'a', 'a String')",
		"CREATE TABLE u (a String) ENGINE = URL('http://BAIT/', 'TSV')",
		"CREATE TABLE u (a String) ENGINE = S3('http://BAIT/bucket/x', 'TSV')",
		"CREATE TABLE u (a String) ENGINE = Kafka('BAIT', 't', 'g', 'TSV')",
		"CREATE TABLE u (a String) ENGINE = Distributed('default', 'system', 'one')",
		"CREATE DATABASE u ENGINE = S3('http://BAIT/bucket')",
		"CREATE DATABASE u ENGINE = MySQL('BAIT', 'a', 'b', 'c')",
		"CREATE DATABASE u ENGINE = PostgreSQL('BAIT', 'a', 'b', 'c')",
		"CREATE DATABASE u ENGINE = DataLakeCatalog('http://BAIT/') SETTINGS warehouse = 'w'",
		"CREATE TABLE u (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 's3', endpoint = 'http://BAIT/bucket/')",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(HTTP(url 'http://BAIT/' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(table 't' HOST '127.0.0.1' PORT 1)) LAYOUT(FLAT()) LIFETIME(0)",
		// Users, and other languages than this one.
		"CREATE USER u IDENTIFIED BY 'x'",
		"GRANT ALL ON *.* TO default",
		"EXECUTE AS default SELECT 1",
		"SET dialect = 'kusto'",
		"CREATE NAMED COLLECTION c AS a = 1",
		"SYSTEM SHUTDOWN",
	} {
		sql = fill.Replace(sql)
		for _, as := range [][2]string{{user, password}, {analystUser, analystPassword}} {
			r := request(t, shared, http.MethodPost, strings.NewReader(sql))
			r.SetBasicAuth(as[0], as[1])
			a := do(t, r)
			if a.status == 200 || strings.Contains(a.body, "the-secret") {
				t.Errorf("%d: %s: as %s: status %d: %.200s", i, sql, as[0], a.status, a.body)
			}
		}
	}
	require.NoFileExists(t, loot)
	require.Empty(t, contacted, "the engine called another host")
	for _, name := range []string{"format_schema", "format_template_row", "dialect"} {
		require.Equal(t, 403, post(t, shared, "SELECT 1", name, secret).status, name)
	}
	require.Equal(t, "1\n", must(t, shared, "SELECT 1"))
}

// TestInReach holds the walls to what they are for: nothing that only looks like a way out is refused.
func TestInReach(t *testing.T) {
	for _, sql := range []string{
		"SELECT 'file(' AS file, 'INTO OUTFILE' AS url",
		"SELECT engine, name AS file FROM system.tables WHERE engine = 'File'",
		"CREATE TABLE looks (source UInt8, engine String, file String, disk UInt8, s3 String) ENGINE = MergeTree ORDER BY tuple()",
		"INSERT INTO looks (source, engine, file, disk, s3) VALUES (1, 'Executable', 'file(', 2, 's3(')",
		"SELECT * FROM looks WHERE source IN (1, 2) AND disk = 2",
		"CREATE VIEW looks_view AS SELECT file, s3 FROM looks",
		"CREATE TABLE looks_copy AS looks",
		"CREATE DATABASE looks_db ENGINE = Atomic",
		"CREATE TABLE looks_db.t (a UInt8) ENGINE = Memory",
		"CREATE TABLE looks_source (k UInt64, v String) ENGINE = MergeTree ORDER BY k",
		"CREATE DICTIONARY looks_dictionary (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(TABLE 'looks_source')) LAYOUT(HASHED()) LIFETIME(0)",
		"SELECT dictGetOrDefault('looks_dictionary', 'v', toUInt64(1), 'none')",
		"CREATE MATERIALIZED VIEW looks_mv REFRESH EVERY 1 HOUR (n UInt64) ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM looks",
		"SELECT * FROM numbers(1) AS a, view(SELECT 1) AS b, values('a UInt8', 1) AS c",
		"EXPLAIN SELECT * FROM looks",
		"SYSTEM FLUSH LOGS",
		"DROP DATABASE looks_db",
	} {
		must(t, shared, sql)
	}
}

func TestAnalystOnlyReads(t *testing.T) {
	as := func(sql string, params ...string) answer {
		r := request(t, shared, http.MethodPost, strings.NewReader(sql), params...)
		r.SetBasicAuth(analystUser, analystPassword)
		return do(t, r)
	}
	must(t, shared, "CREATE TABLE looked_at (a UInt64) ENGINE = MergeTree ORDER BY a")
	must(t, shared, "INSERT INTO looked_at VALUES (1), (2)")
	require.Equal(t, "3\n", as("SELECT sum(a) FROM looked_at").body)
	require.Equal(t, "2\n", as("SELECT getSetting('max_threads')", "max_threads", "2").body, "its settings come first")
	require.Equal(t, "2\n", as("SELECT count() FROM looked_at WHERE a >= {min:UInt64}", "param_min", "1", "session_id", "s").body)
	for _, sql := range []string{
		"INSERT INTO looked_at VALUES (3)", "INSERT INTO looked_at SELECT 3", "CREATE TABLE x (a UInt8) ENGINE = Memory",
		"DROP TABLE looked_at", "ALTER TABLE looked_at DROP PARTITION tuple()", "TRUNCATE TABLE looked_at", "SET readonly = 0",
		"SELECT 1 SETTINGS readonly = 0", "KILL QUERY WHERE 1", "OPTIMIZE TABLE looked_at", "SYSTEM STOP MERGES",
		"CREATE TEMPORARY TABLE x (a UInt8)",
	} {
		for _, params := range [][]string{nil, {"readonly", "0"}, {"readonly", "2", "allow_ddl", "1"}, {"session_id", "analyst"}} {
			a := as(sql, params...)
			require.NotEqual(t, 200, a.status, "%s %v", sql, params)
		}
	}
	require.Equal(t, "2\n", must(t, shared, "SELECT count() FROM looked_at"))
}

// TestLake reads the configured object store without giving keys, also as the analyst, and fails fast when it is away.
func TestLake(t *testing.T) {
	store := testkit.S3(t)
	cfg := config(t.TempDir())
	base := "http://" + store.Endpoint
	cfg.S3 = &clickhouse.S3Access{Endpoint: base, AccessKey: store.AccessKey, SecretKey: store.SecretKey, Bucket: store.Bucket}
	s := start(t, cfg)
	body := "1,one\n2,two\n"
	_, err := store.Client(t).PutObject(t.Context(), store.Bucket, "some/rows.csv", strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	require.NoError(t, err)
	url := base + "/" + store.Bucket
	require.Equal(t, "2\n", must(t, s, "SELECT count() FROM s3('"+url+"/some/*.csv', 'CSV', 'a UInt64, s String')"))
	must(t, s, "CREATE TABLE rows (a UInt64, s String) ENGINE = S3('"+url+"/some/rows.csv', 'CSV')")
	must(t, s, "CREATE VIEW events AS SELECT * FROM rows")
	analyst := request(t, s, http.MethodPost, strings.NewReader("SELECT sum(a) FROM events"))
	analyst.SetBasicAuth(analystUser, analystPassword)
	require.Equal(t, "3\n", do(t, analyst).body)

	must(t, s, "CREATE TABLE lake (a Nullable(Int64), s Nullable(String)) ENGINE = IcebergS3('"+url+"/lake/events/')", "allow_experimental_insert_into_iceberg", "1")
	must(t, s, "INSERT INTO lake VALUES (7, 'seven')", "allow_experimental_insert_into_iceberg", "1")
	require.Equal(t, "7\tseven\n", must(t, s, "SELECT * FROM lake"))
	analyst = request(t, s, http.MethodPost, strings.NewReader("SELECT s FROM lake"))
	analyst.SetBasicAuth(analystUser, analystPassword)
	require.Equal(t, "seven\n", do(t, analyst).body)
	require.NotContains(t, must(t, s, "SELECT create_table_query FROM system.tables WHERE database = 'coldstream'"), store.SecretKey)

	for _, sql := range []string{
		"SELECT * FROM s3('" + base + "/another-bucket/x.csv', 'CSV', 'a UInt64')",
		"SELECT * FROM s3('" + url + "/../another-bucket/x.csv', 'CSV', 'a UInt64')",
		"SELECT * FROM s3('" + url + "-evil/x.csv', 'CSV', 'a UInt64')",
		"SELECT * FROM s3(concat('" + url + "/', 'x'), 'CSV', 'a UInt64')",
	} {
		require.Equal(t, 403, post(t, s, sql).status, sql)
	}
}

func TestLakeAway(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	require.NoError(t, err)
	defer gone.Close()
	cfg := config(t.TempDir())
	cfg.S3 = &clickhouse.S3Access{Endpoint: "http://" + gone.Addr().String(), AccessKey: "k", SecretKey: "s", Bucket: "bucket"}
	s := start(t, cfg)
	started := time.Now()
	a := post(t, s, "SELECT * FROM s3('"+cfg.S3.Endpoint+"/bucket/x.csv', 'CSV', 'a UInt64')")
	require.NotEqual(t, 200, a.status)
	require.Less(t, time.Since(started), 10*time.Second, a.body)
	gone.Close()
	started = time.Now()
	require.NotEqual(t, 200, post(t, s, "SELECT * FROM s3('"+cfg.S3.Endpoint+"/bucket/x.csv', 'CSV', 'a UInt64')").status)
	require.Less(t, time.Since(started), 10*time.Second)
}
