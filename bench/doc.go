// Package bench holds the benchmarks of the whole pipeline: events that lie in the broker until they are durable in the
// lake, in ClickHouse, or in both. Beside them stands what its programs share: [Topics] makes and fills topics with the
// generator's chat, [Worker] is a `coldstream run` in a process of its own, [UsageOf] what a process has used.
// docs/benchmarks.md says what each figure means.
package bench
