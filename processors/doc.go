// Package processors holds what a pipeline does to events between decoding and the sink: [Dedup] drops repeats, and
// [Redact] replaces personal data in their content. Both implement the pipeline's Processor. The engines are in the
// subfolders and know plain bytes and numbers only; here they meet the columns of a [schemas.Batch].
//
// A processor belongs to one partition. It does not fail on any content; it keeps no batch.
package processors
