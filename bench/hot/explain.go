package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldstream/coldstream/bench"
)

// explain prints where ClickHouse's time went: CPU time by threads of a name, and the engine's own counters of time.
func (e *engine) explain(ctx context.Context, records int64) error {
	threads, err := bench.ThreadsOf(e.server.PID())
	if err != nil {
		return err
	}
	names := make([]string, 0, len(threads))
	for name := range threads {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(threads[b], threads[a]) })
	n := float64(records)
	fmt.Println("  ClickHouse by thread, ns/event:")
	for _, name := range names[:min(12, len(names))] {
		fmt.Printf("    %-20s %8.0f\n", name, float64(threads[name].Nanoseconds())/n)
	}
	out, err := e.client.Query(ctx, "SELECT event, value FROM system.events WHERE value > 0 AND (event LIKE '%Microseconds' OR event LIKE '%Milliseconds' OR event LIKE 'Merge%' OR event LIKE 'Inserted%' OR event LIKE '%PageFaults' OR event LIKE '%Compress%' OR event LIKE 'Write%') ORDER BY event")
	if err != nil {
		return err
	}
	fmt.Println("  its counters, an event (microseconds and milliseconds as ns):")
	for line := range strings.Lines(string(out)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		var v float64
		if _, err := fmt.Sscan(text, &v); err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(name, "Microseconds"):
			v *= float64(time.Microsecond)
		case strings.HasSuffix(name, "Milliseconds"):
			v *= float64(time.Millisecond)
		}
		if v/n >= 0.5 || !strings.HasSuffix(name, "seconds") {
			fmt.Printf("    %-56s %12.1f  (%.0f)\n", name, v/n, v)
		}
	}
	return nil
}
