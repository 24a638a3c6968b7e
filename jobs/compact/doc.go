// Package compact merges the chunks of a closed day, so that each window is one chunk and the day is one or few files.
//
// The types to know are [Compactor] and [Plan]. A plan names the files of one day that are to be replaced. The day's rows are
// read window by window, repeats of an event are left out and listed, the new files are uploaded and read back, and only if
// their count and an order-independent hash say that they hold exactly what they should, the table's files are swapped
// by one commit (lake.Table.Swap). Until that commit nothing has changed, and whatever ends the work before it (an error,
// Ctrl-C, kill -9) leaves files that no version names: `sweep` takes them. Any number may run beside live commits and
// beside one another; of two that compact one day, the second is abandoned.
//
// Memory is bounded by Config.Memory whatever the day's size. Rows of different redaction policies never share a file,
// because a file's footer says which policy its rows went through. The package deletes nothing.
package compact
