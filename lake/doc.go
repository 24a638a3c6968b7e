// Package lake is the Iceberg side of the cold path: from the checkpoint record that a worker writes to topic
// `chunks`, to the committed table, to the list of files that readers plan with.
//
// Table is a table on an object store whose versions are the objects metadata/v<N>.metadata.json. A commit is one
// conditional PUT of v<N+1>, N being the version that the committer looked at, so that two writers can never both
// succeed on the same base; a version number is never used twice. Committer takes checkpoints from `chunks` and
// adds their files to the table together with the position that they reach, in one commit: the table alone
// says what it holds, and the consumer group's offsets are for show.
//
// What must hold: a checkpoint is taken whole, exactly where the position of every one of its partitions equals its
// start; one that lies wholly below is dropped; anything else stops the committer with an error that IsFinal.
//
// The package deletes nothing, rewrites no data file, and reads no rows.
package lake
