// Package year measures a table of a year that has one small file a window: how long it takes to plan and to read an hour
// and a day of it, and how many bytes that reads, before and after compaction. See `make bench-year`.
package year
