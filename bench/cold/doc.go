// Command cold measures the archive's worker as users run it: `coldstream run --pipelines cold,committer` in a process
// of its own, from a backlog on Apache Kafka to chunks committed to the table on an S3 store. docs/benchmarks.md says
// what the figures mean; `make bench-cold` starts the servers.
//
// [worker] is the process under measurement; what it shares with bench/hot is in package bench. A run fails unless the table
// has exactly the rows that were made.
package main
