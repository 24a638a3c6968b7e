// Package bench holds the benchmarks of the whole pipeline: events that lie in the broker until they are durable in the
// lake, in ClickHouse, or in both. It has no code to call; docs/benchmarks.md says what each figure means.
package bench
