// Package schemas holds the words of Coldstream: Snowflake ids, events, windows, the order in which one value
// beats another, and the columnar [Batch] on which everything downstream works.
//
// The two types to know are [Batch], a struct of arrays over one arena of text, and [Refusal], the reason why an
// event cannot be taken. The package is the leaf of the tree: it imports nothing of the project, does no I/O,
// and knows no technology. Its subfolders are adapters to one format each (codec: JSON; parquet: chunk files;
// clickhouse: SQL).
package schemas
