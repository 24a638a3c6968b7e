package clickhouse

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mergeNice is how far merges give way to inserts and queries where cores are scarce: the kernel gives a thread that is
// nicer by this a third of the other's time. Merges can wait, and come in waves; an insert that waits is lag. By 10 they
// would get a ninth, and parts stand longer (ADR 57).
const mergeNice = 5

// mergeThreads is the engine's name of the threads that merge and mutate parts.
const mergeThreads = "MergeMutate"

// mergeLook is how often the threads are looked for: the engine starts them, all at once, with its first table that merges.
const mergeLook = time.Second

// lowerMerges makes the engine's merges give way, as soon as there are threads for them. The engine's own setting for that,
// os_threads_nice_value_merge_mutate, does nothing in a process without CAP_SYS_NICE, though the kernel asks no one who
// gives way.
func lowerMerges() {
	for {
		switch n, err := lowerThreads(mergeThreads, mergeNice); {
		case err != nil:
			fmt.Fprintln(os.Stderr, "ClickHouse's merges do not give way to inserts and queries:", err)
			return
		case n > 0:
			return
		}
		time.Sleep(mergeLook)
	}
}

// lowerThreads makes this process's threads of a name nicer than the process is, and says how many there are.
func lowerThreads(name string, by int) (n int, err error) {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, os.Getpid())
	if err != nil {
		return 0, err
	}
	nice := min(20-raw+by, 19) // the system call counts from 20 down
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil {
		return 0, err
	}
	for _, path := range names {
		have, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(have)) != name {
			continue // it may have ended
		}
		thread, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return n, err
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, thread, nice); err != nil {
			return n, fmt.Errorf("thread %d: %w", thread, err)
		}
		n++
	}
	return n, nil
}
