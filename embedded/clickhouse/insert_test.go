package clickhouse_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInsertFormats(t *testing.T) {
	must(t, shared, "CREATE TABLE inserted (a Int64, s String, n Nullable(UInt8) DEFAULT 7) ENGINE = MergeTree ORDER BY a")
	want := "1\ta\\0b\\n\\n\\tc\\'\t\\N\n2570\t\t3\n"
	for _, format := range []string{"Native", "RowBinary", "RowBinaryWithNamesAndTypes", "JSONEachRow", "JSONCompactEachRow", "TabSeparated", "TabSeparatedWithNames", "CSV", "CSVWithNames", "Values", "Parquet", "Arrow", "ORC", "Avro", "MsgPack", "JSON"} {
		t.Run(format, func(t *testing.T) {
			data := must(t, shared, "SELECT * FROM values('a Int64, s String, n Nullable(UInt8)', (1, 'a\\0b\\n\\n\\tc\\'', NULL), (2570, '', 3)) FORMAT "+format)
			for name, send := range map[string]func() answer{
				"statement in the URL": func() answer {
					return do(t, request(t, shared, http.MethodPost, strings.NewReader(data), "query", "INSERT INTO inserted FORMAT "+format))
				},
				"statement in the body": func() answer { return post(t, shared, "INSERT INTO inserted FORMAT "+format+"\n"+data) },
				"in small pieces": func() answer {
					return do(t, request(t, shared, http.MethodPost, &drip{data: data, step: 3}, "query", "INSERT INTO inserted (a, s, n) FORMAT "+format))
				},
				"with settings": func() answer {
					return post(t, shared, "INSERT INTO inserted SETTINGS async_insert = 0 FORMAT "+format+"\n"+data, "insert_deduplicate", "0")
				},
			} {
				a := send()
				require.Equal(t, 200, a.status, "%s: %s", name, a.body)
				require.Equal(t, want, must(t, shared, "SELECT * FROM inserted ORDER BY a"), name)
				must(t, shared, "TRUNCATE TABLE inserted")
			}
		})
	}
}

// drip is a body that comes a few bytes at a time, and breaks off with err if there is one.
type drip struct {
	data string
	step int
	err  error
}

func (d *drip) Read(p []byte) (int, error) {
	if d.data == "" {
		if d.err != nil {
			return 0, d.err
		}
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), d.step)], d.data)
	d.data = d.data[n:]
	return n, nil
}

func TestInsertStatements(t *testing.T) {
	must(t, shared, "CREATE TABLE stated (a UInt64, s String DEFAULT 'd') ENGINE = MergeTree ORDER BY a")
	for _, sql := range []string{
		"INSERT INTO stated VALUES (1, 'd')",
		"INSERT INTO stated (a) VALUES (1);",
		"insert into coldstream.stated(a) values(1)",
		"INSERT INTO TABLE stated (a, s) SETTINGS async_insert=0 VALUES (0 + 1, concat('', 'd'))",
		"INSERT INTO stated SELECT 1, 'd'",
		"INSERT INTO stated (a) SELECT 1",
		"WITH 1 AS x SELECT 1; ",
		"INSERT INTO stated (a) FORMAT CSV 1",
		"INSERT INTO stated (a) FORMAT CSV SETTINGS format_csv_delimiter = '|'\n1",
		"/* a comment with FORMAT JSON and VALUES */ INSERT INTO stated (a) -- VALUES\nVALUES (1)",
		"INSERT INTO stated (s, a) VALUES ('d', 1)",
		`INSERT INTO stated FORMAT JSONEachRow {"a":"1"}`,
		"INSERT INTO `stated` (`a`) VALUES (1)",
	} {
		must(t, shared, sql)
		if strings.HasPrefix(sql, "WITH") {
			continue
		}
		require.Equal(t, "1\td\n", must(t, shared, "SELECT * FROM stated"), sql)
		must(t, shared, "TRUNCATE TABLE stated")
	}
	require.Equal(t, "60", post(t, shared, "INSERT INTO missing VALUES (1)").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "27", post(t, shared, "INSERT INTO stated FORMAT TSV\nx\ty\n").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "0\n", must(t, shared, "SELECT count() FROM stated"))
}

func TestInsertLarge(t *testing.T) {
	must(t, shared, "CREATE TABLE large (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	const rows = 2_000_000
	body, w := io.Pipe()
	go func() {
		var chunk strings.Builder
		for i := range rows {
			fmt.Fprintf(&chunk, "%d\tsome text of a message\n", i)
			if chunk.Len() > 1<<16 {
				_, _ = io.WriteString(w, chunk.String())
				chunk.Reset()
			}
		}
		_, _ = io.WriteString(w, chunk.String())
		w.Close()
	}()
	a := do(t, request(t, shared, http.MethodPost, body, "query", "INSERT INTO large FORMAT TSV"))
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.header.Get("X-ClickHouse-Summary"), `"written_rows":"2000000"`)
	require.Equal(t, "2000000\t1999999\n", must(t, shared, "SELECT count(), max(a) FROM large"))
}

func TestInsertBrokenOff(t *testing.T) {
	must(t, shared, "CREATE TABLE broken (a UInt64) ENGINE = MergeTree ORDER BY a")
	body := &drip{data: strings.Repeat("1\n", 1000), step: 100, err: errors.New("the client dies")}
	r := request(t, shared, http.MethodPost, body, "query", "INSERT INTO broken FORMAT TSV")
	_, err := http.DefaultClient.Do(r)
	require.Error(t, err)
	require.Eventually(t, func() bool {
		return must(t, shared, "SELECT count() FROM system.processes WHERE query LIKE '%INTO bro'||'ken%'") == "0\n"
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, "0\n", must(t, shared, "SELECT count() FROM broken"))
}

func TestInsertDeduplicationToken(t *testing.T) {
	must(t, shared, "CREATE TABLE deduplicated (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	for _, token := range []string{"events:0:1-2", "events:0:1-2", "events:0:3-4"} {
		must(t, shared, "INSERT INTO deduplicated FORMAT TSV\n1\n2\n", "insert_deduplication_token", token, "async_insert", "0")
	}
	require.Equal(t, "4\n", must(t, shared, "SELECT count() FROM deduplicated"))
}

func TestStateTable(t *testing.T) {
	must(t, shared, `CREATE TABLE state (channel UInt64, inv Int64, message Int64 ALIAS -inv,
		content SimpleAggregateFunction(max, Tuple(UInt8, Int64, UInt32, String)), search SimpleAggregateFunction(max, Tuple(UInt8, Int64, UInt32, String)),
		week UInt8, INDEX words (tupleElement(search, 4)) TYPE text(tokenizer = 'splitByNonAlpha'))
		ENGINE = AggregatingMergeTree PARTITION BY week ORDER BY (channel, inv)`)
	for _, values := range []string{
		"(1, -10, (0, 10, 1, 'hello world'), (0, 10, 1, 'hello world'), 1), (1, -11, (0, 11, 1, 'second'), (0, 11, 1, 'second'), 1)",
		"(1, -10, (1, 20, 1, 'edited text'), (1, 20, 1, 'edited text'), 1), (2, -12, (0, 12, 1, 'other'), (0, 12, 1, 'other'), 2)",
		"(1, -10, (0, 10, 1, 'hello world'), (0, 10, 1, 'hello world'), 1)",
	} {
		must(t, shared, "INSERT INTO state VALUES "+values)
	}
	require.Equal(t, "11\tsecond\n10\tedited text\n", must(t, shared, "SELECT message, tupleElement(content, 4) FROM state FINAL WHERE channel = 1 ORDER BY inv"))
	require.Equal(t, "1\n", must(t, shared, "SELECT count() FROM state FINAL WHERE hasAllTokens(tupleElement(search, 4), 'edited')"))
	require.Equal(t, "0\n", must(t, shared, "SELECT count() FROM state FINAL WHERE hasAllTokens(tupleElement(search, 4), 'hello')"), "edited away")
	must(t, shared, "ALTER TABLE state DROP PARTITION 2")
	require.Equal(t, "2\n", must(t, shared, "SELECT count() FROM state FINAL"))
	must(t, shared, "OPTIMIZE TABLE state FINAL")
	must(t, shared, "CREATE FUNCTION twice AS (x) -> x * 2")
	require.Equal(t, "8\n", must(t, shared, "SELECT twice(4)"))
}
