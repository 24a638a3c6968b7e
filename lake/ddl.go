package lake

import (
	"fmt"
	"strings"
)

// EngineOptions say how ClickHouse is to see the table.
type EngineOptions struct {
	// Keys puts the store's credentials into the statement, where they are given rather than a role's. Without them the server must have its own for the store's
	// URL: the one-box engine has; elsewhere <s3> in its configuration keeps them out of the table's definition.
	Keys bool
	// URL is the table's folder as the server reaches it; "" means as we do.
	URL string
}

// lakeTable is the table with the Iceberg engine that the view `events` reads.
const lakeTable = "events_lake"

// engineRead is how the view reads. Of a file of at most twice this size the engine fetches all, from its beginning, before it
// knows what it needs. Its own value, 10 MiB, would fetch a compacted day for an hour of it; at this one the file of a
// window still takes one request.
const engineRead = "max_download_buffer_size = 262144"

// EngineDDL gives the statements that show the table as the view `events` in the client's database. Each may run
// again, and should after the store has moved or columns were added. The table follows version-hint.text, so that a
// query sees the newest commit without listing the metadata. Nothing of the lake is touched, also not by dropping them.
func EngineDDL(t *Table, o EngineOptions) []string {
	url := o.URL
	if url == "" {
		url = t.store.BaseURL(t.name)
	}
	args := []string{quote(url)}
	if cfg := t.store.Config(); o.Keys && cfg.AccessKey != "" {
		args = append(args, quote(cfg.AccessKey), quote(cfg.SecretKey))
	}
	columns := make([]string, 0, len(EventsSchema().Fields()))
	for _, f := range EventsSchema().Fields() {
		columns = append(columns, f.Name)
	}
	follow := " SETTINGS iceberg_use_version_hint = 1"
	if t.remote != nil { // which writes no hint: the engine lists the metadata
		follow = ""
	}
	return []string{
		fmt.Sprintf("CREATE OR REPLACE TABLE %s ENGINE = IcebergS3(%s)%s", lakeTable, strings.Join(args, ", "), follow),
		fmt.Sprintf("CREATE OR REPLACE VIEW events AS SELECT %s FROM %s SETTINGS %s", strings.Join(columns, ", "), lakeTable, engineRead),
	}
}

// quote makes a string literal of ClickHouse's SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
