// Command hot measures the hot worker as users run it: `coldstream run --pipelines hot` in a process of its own, Apache
// Kafka, and the embedded ClickHouse engine's child behind its HTTP front. docs/benchmarks.md says what the figures mean;
// `make bench-hot` starts the broker.
//
// The types to know are [run], one drained backlog, and [engine], the ClickHouse that it was drained into. A run fails
// unless the state table holds what was made.
package main
