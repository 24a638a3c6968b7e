// Package lakeshapes makes the shapes that traffic can give to the lake (steady days, a lagging restart, an import of years, late
// events and others) through the archive's own sink and committer, without Kafka, and says how many files and chunks each
// window has before and after compaction. `make bench-lake` prints the table that docs/lake.md shows.
package lakeshapes
