package ingest

// GroupPartition is where a group's offsets are, for tests.
var GroupPartition = groupPartition
