// Package lake is the cold path's sink: it buffers rows by day and window, and makes them durable by checkpoints.
//
// A checkpoint closes everything held. Its files are built and uploaded by a goroutine, under names never used before,
// while rows go on into fresh buffers; then one call of the pipeline's commit function (a Kafka transaction) writes the
// checkpoint's record, its dead letters and the source offsets of exactly the rows in those files; then the buffers
// are let go. So rows are in the table exactly once, whatever fails: what was not committed is read again, and files
// without a record belong to nobody.
//
// The type to know is [Sink], which implements the pipeline's sink. An upload that fails is tried again as long as the
// worker lives, and Pressure holds the reading back; a commit that fails ends the membership (schemas.ErrRewind) with
// everything held dropped. The sink deletes no object and does not touch the table: lake.Run commits the records.
package lake
