// Command hotread measures what people and services ask the hot store: pages of a channel, searches, a user's messages,
// rollups. It starts the embedded engine, fills the state table through the sink's own blocks, as live traffic would, once
// with every block left as a part of its own and once merged, and asks each question many times.
//
// [store] is a filled engine and [question] a family of queries. `make bench-hotread` runs it; docs/benchmarks.md says
// what the figures mean. A question whose answer is wrong ends the run.
package main
