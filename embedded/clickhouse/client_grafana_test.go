package clickhouse_test

import (
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
)

// TestWhatGrafanaSends runs what Grafana's ClickHouse data source is documented to send, over its interface: it is
// clickhouse-go over HTTP, as a user who may only read. Grafana itself is untried.
func TestWhatGrafanaSends(t *testing.T) {
	must(t, shared, "CREATE TABLE grafana_log (timestamp DateTime, body String, labels Map(String, String)) ENGINE = MergeTree ORDER BY timestamp")
	must(t, shared, "INSERT INTO grafana_log SELECT toDateTime('2026-11-20 12:00:00') + number, concat('line ', toString(number)), map('level', 'info') FROM numbers(600)")
	conn := open(t, func(o *ch.Options) {
		o.Auth.Username, o.Auth.Password = analystUser, analystPassword
		o.Compression = &ch.Compression{Method: ch.CompressionGZIP}
		o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{"grafana", "12.0.0"})
	})
	require.NoError(t, conn.Ping(t.Context()), "Save & test")
	const window = "timestamp >= toDateTime(1795176000) AND timestamp <= toDateTime(1795179600)"
	for what, query := range map[string]string{
		"health":                            "SELECT 1",
		"version":                           "SELECT version()",
		"databases":                         "SHOW DATABASES",
		"databases of the editor":           "SELECT name FROM system.databases",
		"tables":                            "SHOW TABLES FROM \"coldstream\"",
		"columns":                           "DESC TABLE \"coldstream\".\"grafana_log\"",
		"columns with aliases":              "SELECT name, type FROM system.columns WHERE database = 'coldstream' AND table = 'grafana_log'",
		"functions, for completion":         "SELECT name FROM system.functions",
		"$__timeFilter and $__timeInterval": "SELECT toStartOfInterval(toDateTime(timestamp), INTERVAL 60 second) as time, count(*) as n FROM grafana_log WHERE " + window + " GROUP BY time ORDER BY time ASC LIMIT 100000",
		"logs":                              "SELECT timestamp as \"timestamp\", body as \"body\", labels['level'] as \"level\" FROM \"coldstream\".\"grafana_log\" WHERE ( " + window + " ) ORDER BY timestamp DESC LIMIT 1000",
		"keys of a map":                     "SELECT DISTINCT arrayJoin(labels.keys) as keys FROM \"coldstream\".\"grafana_log\" LIMIT 1000",
		"a variable":                        "SELECT DISTINCT body FROM grafana_log LIMIT 10",
		"a setting in the query":            "SELECT count() FROM grafana_log SETTINGS max_execution_time = 30",
	} {
		rows, err := conn.Query(t.Context(), query)
		if what == "a setting in the query" { // a reader under readonly = 1 may change none
			require.ErrorContains(t, err, "164", what)
			continue
		}
		require.NoError(t, err, what)
		n := 0
		for rows.Next() {
			n++
		}
		require.NoError(t, rows.Err(), what)
		require.NotZero(t, n, what)
		require.NoError(t, rows.Close())
	}
}
