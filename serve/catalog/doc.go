// Package catalog answers the read side of the Iceberg REST catalog protocol over our own tables, so that engines find
// them by name and follow their commits: PyIceberg, Spark, Trino, DuckDB and what else speaks it.
//
// The types to know are [Config] and [Source]; [New] gives an http.Handler for everything below the catalog's URI. It
// answers config, namespaces, and tables (list, load, exists), takes reports of metrics, and refuses whatever would write
// with 403 and a sentence: a table has one writer, the committer. Errors have the protocol's shape
// (rest-catalog-open-api.yaml of apache/iceberg, IcebergErrorResponse); a store that does not answer is 503.
//
// It keeps the newest version of each table encoded, and asks the table at every request whether that is still the newest.
// It does not authenticate, plan scans, or make credentials: what it tells of the object store is what Config says.
package catalog
