//go:build !linux

package clickhouse

// lowerMerges does nothing: only Linux has priorities of threads.
func lowerMerges() {}
