// Package parquet is the format of chunk files: events of one day as Parquet, one or more row groups a five-minute
// window.
//
// The types to know are [Writer], which makes a file from rows of a [schemas.Batch], and [Reader], which brings them
// back. A file carries the field ids of the table `events`, its provenance and its windows in the footer (keys
// coldstream.…), and is sorted within a row group by channel, then event id. User text is in no statistic and no index.
//
// A file is built in memory, because its footer is finished by hand (see index.go); callers bound its size. The package
// knows no store and no table: it hands out what a manifest wants to know as [File].
package parquet
