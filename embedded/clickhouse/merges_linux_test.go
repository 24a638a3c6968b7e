package clickhouse_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldstream/coldstream/internal/testkit"
)

func TestMergesGiveWay(t *testing.T) {
	must(t, shared, "CREATE TABLE gives_way (a UInt8) ENGINE = MergeTree ORDER BY a")
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, shared.PID())
	if err != nil {
		t.Fatal(err)
	}
	usual, lower := fmt.Sprint(20-raw), fmt.Sprint(min(20-raw+5, 19))
	testkit.Eventually(t, 20*time.Second, func() error {
		merging := nices(t, "MergeMutate")
		if merging[lower] == 0 || len(merging) > 1 {
			return fmt.Errorf("threads that merge, by niceness: %v, want %s of all", merging, lower)
		}
		return nil
	})
	if others := nices(t, "ThreadPool"); others[usual] == 0 || len(others) > 1 {
		t.Errorf("threads of queries, by niceness: %v, want %s of all", others, usual)
	}
}

// nices counts the engine's threads of a name by their niceness.
func nices(t *testing.T, name string) map[string]int {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", shared.PID()))
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil { // it has ended
			continue
		}
		from, to := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if string(stat[from+1:to]) == name {
			n[string(bytes.Fields(stat[to+1:])[16])]++
		}
	}
	return n
}
