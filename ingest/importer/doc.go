// Package importer reads chat that others have kept (IRC logs, exports of Discord and Slack, NDJSON) and publishes it
// as message events.
//
// [IRC], [Discord], [Slack] and [NDJSON] are the importers; [Result] counts what each did. They hand records to a
// [Publisher] in the order of each file and judge nothing: what the pipeline refuses becomes a dead letter there.
// Exports that have ids keep them. Lines of plain logs get ids made of guild, channel, file and line, so that a second
// import of the same files gives the same ids, whatever path they are given by, and changes nothing.
//
// An importer stops at the first error, and when its context ends; its error then says at which file and line. What was
// published until then stays published: run it again. Lines and documents that are no messages are skipped and counted
// by kind, never silently. Nothing is written but records: the files stay as they are.
package importer
