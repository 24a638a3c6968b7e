// Package broker is a Kafka broker inside this process, for one machine: kfake behind a guard, with its data on disk.
//
// [Start] serves a data folder as [Config] says and returns a [Broker]; Close ends it. Records, topics, groups, committed
// offsets and transactions survive a restart and `kill -9`; cluster id, topic ids and, for a fixed port, the address stay
// the same. The conformance suite beside this file runs on it and on Apache Kafka alike.
//
// How it fails: a folder in use, a busy port or data that cannot be read fail Start. A client that sends what is not Kafka
// loses its connection, nobody else's. After a power cut, as opposed to a killed process, the last records that the system
// had not written back may be gone, as with Kafka's own defaults.
//
// No limit, by time or by size, deletes a record that a consumer group has yet to read; a group reads a topic once it has
// committed an offset there or had a member there since the start, and until it is deleted. Where that leaves more than
// three times MaxBytes unread, or the disk with less than 512 MiB, produce requests to topics with readers are refused with
// KAFKA_STORAGE_ERROR, which producers retry, until the groups have caught up; a log line a minute names the slowest group.
// Transactions are always taken, since pipelines commit by them. A topic that no group reads just loses its oldest records
// (by size not in the first minute after a start, in which groups join). A disk that is full all the same refuses the
// produce request.
//
// What it will not do: replicate, authenticate, encrypt, compact, stamp records with the time of appending
// (`message.timestamp.type` is kept as a setting and has no effect). It holds an index of every batch in memory, and after
// a crash reads all logs at once: about four times MaxBytes at most, if groups are far behind.
//
// kfake is a test double, and this package makes up for the following, each with a test (version of 18 September 2026):
//
//   - An unknown API key or a frame of absurd size ends the process: guard.go closes that connection.
//   - The first failed accept (too many open files) ends accepting for good: the guard tries again.
//   - Nothing locks the folder: a flock does.
//   - Retention and compaction stop after a restart; retention by time drops everything before any record with an old
//     timestamp, new records too, and applies to compacted topics: kfake's own is never run, upkeep.go drops records by
//     the time at which they were appended, and only those that were read.
//   - Compaction deletes the old segments before it writes the new ones, so that a crash between loses the topic: it is
//     never run. Compacted topics simply keep everything.
//   - A log that was emptied (retention, DeleteRecords) starts again at offset 0 after a restart: appended.json remembers
//     its end, and a control batch that clients skip restores it.
//   - A crash leaves a transaction without an end marker; kfake calls it aborted, but its readers then drop what the same
//     producer writes later. One open at an orderly stop and again at a crash holds read_committed readers up for ever.
//     recover.go writes the missing markers and fences the producer.
//   - A crash in the middle of a commit leaves it done in some partitions and aborted in others: recover.go finishes it.
//     Offsets committed with it may be missing all the same; readers of `chunks` make up for that (the table's position).
//   - A batch written without its index entry counts as outside any transaction: recover.go writes the index anew.
//   - Half an entry at the end of the state logs hides everything appended after it: statelog.go cuts it off.
//   - Producers' sequence windows are saved at an orderly stop only, so that a retry over a crash is stored twice, and what
//     was saved is believed after a later crash, which refuses producers that went on: windows.go rebuilds them from the
//     log, and the saved ones are removed once read.
//
// Known and left: records deleted below the first kept segment show again after a crash (until the next tick, for
// retention); disk space comes back by whole segments of 16 MiB, so that a quiet topic's expired records stay in its active
// segment until it is full or wholly expired.
package broker
