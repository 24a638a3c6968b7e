// Package ingest reads topics of events and hands them, decoded and processed, to one sink: a pipeline is one consumer
// group, its processors and one sink.
//
// The types to know are [Pipeline], which runs the loop, and [Sink], which a pipeline's writer implements. Offsets are
// committed only through the [CommitFunc] that a sink calls for what it has made durable. Whatever goes wrong with that
// (an aborted or unknown transaction, a fenced producer, a bound of time) ends in the same way: everything held is
// dropped, the group is joined afresh, and reading goes on from what is committed. An offset that the log no longer has
// ends the pipeline with an error that says what to do; nothing is ever skipped or reset silently. A transaction that the
// broker has decided and left open in a partition, so that readers would wait for ever, is completed as it was decided.
//
// The package writes no dead letter by itself and knows no store.
package ingest
