package bench_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// clockTick is the unit of the times in /proc, 1/100 s wherever Linux runs for users.
const clockTick = 10 * time.Millisecond

// usage is the CPU time used so far by this process and by the servers that are its children.
type usage struct{ self, servers time.Duration }

func (u usage) since(before usage) usage {
	return usage{u.self - before.self, u.servers - before.servers}
}

func (u usage) plus(v usage) usage { return usage{u.self + v.self, u.servers + v.servers} }

func used(b *testing.B) usage {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return usage{self: time.Duration(r.Utime.Nano() + r.Stime.Nano()), servers: childrenCPU()}
}

// childrenCPU is what the children of this process have used, read from /proc; 0 where there is none.
func childrenCPU() (sum time.Duration) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, name := range stats {
		line, err := os.ReadFile(name)
		if err != nil { // it has ended
			continue
		}
		// The second field, the name, is in parentheses and may hold anything; state is the first behind it.
		f := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
		if len(f) < 13 || string(f[1]) != strconv.Itoa(os.Getpid()) {
			continue
		}
		for _, ticks := range f[11:13] { // user and system time
			n, _ := strconv.ParseInt(string(ticks), 10, 64)
			sum += time.Duration(n) * clockTick
		}
	}
	return sum
}
