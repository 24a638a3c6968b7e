// Package codec turns the values of Kafka records into rows of a [schemas.Batch] and events into values.
//
// [JSON] decodes; [AppendEvent] encodes. A value that cannot be taken is a [schemas.Refusal] whose sentence a producer
// can act on, and leaves the batch as it was. The codec decides nothing about state: it reads a document, judges its
// ids (Snowflake or opaque) and its time, and keeps every field that it does not know, verbatim.
package codec
