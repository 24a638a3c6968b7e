// Package processors holds what a pipeline does to events between decoding and the sink: [Dedup] drops repeats, and
// [Chain] does what a policy says: the user's stages, redaction, pseudonyms. Both implement the pipeline's Processor.
// The engines are in the subfolders and know plain bytes and numbers, or one row; here they meet the columns of a
// [schemas.Batch].
//
// The order is one, and the policy declares it: dedup (cold only), then the policy's stages as they stand, with the stage
// redact where it stands among them, else last. Routed events leave when every stage is done, redacted like all others.
//
// [Load] makes a [Program] of a policy file and says every mistake of it; a Program is safe for concurrent use and makes a
// Chain for each partition. A chain does not fail on any content: an event that a stage cannot take is refused, for itself
// alone. An error is a stage's own, and comes from processors of the user's. A chain keeps no batch.
package processors
