// Package clickhouse is the hot sink: it writes what events say about messages into ClickHouse's table `state`, where
// the order of values makes the sequence of events, and how often each arrives, irrelevant.
//
// The type to know is [Sink]. It fills columnar blocks from batches, sends each as one insert with a deduplication
// token, retries it as it was, and commits offsets when the inserts up to them are acknowledged. While ClickHouse is
// away it holds a bounded number of blocks and asks the pipeline, by [Sink.Pressure], to stop reading. Rows that
// ClickHouse refuses become dead letters one by one; what only an operator can mend (a wrong password, a missing table,
// a full disk) ends it with an error that wraps [ErrStop].
//
// Edits and deletes whose message cannot be known from the event go to the table `unresolved`, for the resolver. It
// reads nothing, and does not archive: that is the cold sink's work.
package clickhouse
