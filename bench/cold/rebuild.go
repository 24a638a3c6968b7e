package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// remembered is the line that a worker writes when it has read again what stands before the start of a partition.
var remembered = regexp.MustCompile(`remembers what came before.* offsets=(\S+) took=(\S+)`)

// rebuild starts the worker again where all is read, and waits until it remembers what dedup has to.
func (w *worker) rebuild(ctx context.Context, ends []int64) (string, error) {
	if err := w.Stop(); err != nil {
		return "", err
	}
	if err := w.Start(ctx); err != nil {
		return "", err
	}
	var lines [][][]byte
	err := w.Await(ctx, 50*time.Millisecond, func() (bool, error) {
		log, err := w.Log()
		lines = remembered.FindAllSubmatch(log, -1)
		return len(lines) == len(ends), err
	})
	if err != nil {
		return "", err
	}
	used, err := w.Usage()
	if err != nil {
		return "", err
	}
	var offsets int64
	var longest time.Duration
	for _, l := range lines {
		n, err := strconv.ParseInt(string(regexp.MustCompile(`\D`).ReplaceAll(l[1], nil)), 10, 64)
		if err != nil {
			return "", fmt.Errorf("%s: %w", l[0], err)
		}
		took, err := time.ParseDuration(string(l[2]))
		if err != nil {
			return "", fmt.Errorf("%s: %w", l[0], err)
		}
		offsets, longest = offsets+n, max(longest, took)
	}
	return fmt.Sprintf("  started again: %d offsets of %d partitions read again in %v (%.0f ns of CPU an offset, the start included)",
		offsets, len(ends), longest, float64(used.CPU().Nanoseconds())/float64(max(offsets, 1))), nil
}
