package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used since it began, from /proc.
type Usage struct {
	User, System time.Duration
	Resident     int64 // bytes now
	Peak         int64 // bytes, the most so far
}

// CPU is user and system time.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// clockTick is the unit of times in /proc/PID/stat, wherever Linux runs for users.
const clockTick = 10 * time.Millisecond

// UsageOf reads what a process has used.
func UsageOf(pid int) (u Usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The second field, the name, is in parentheses and may hold anything; state is the first behind it.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return u, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	for i, dst := range []*time.Duration{&u.User, &u.System} {
		ticks, err := strconv.ParseInt(string(f[11+i]), 10, 64)
		if err != nil {
			return u, err
		}
		*dst = time.Duration(ticks) * clockTick
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	u.Resident, u.Peak = kilobytes(text, "VmRSS:"), kilobytes(text, "VmHWM:")
	return u, nil
}

func kilobytes(text []byte, key string) int64 {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// Since is what was used since before; resident and peak stay as they are.
func (u Usage) Since(before Usage) Usage {
	u.User, u.System = u.User-before.User, u.System-before.System
	return u
}

// Processor is the CPU's name.
func Processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(name), ":"))
		}
	}
	return "unknown processor"
}

// ThreadsOf is the CPU time of a process's threads that live, by their name.
func ThreadsOf(pid int) (map[string]time.Duration, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return nil, err
	}
	out := map[string]time.Duration{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil { // it has ended
			continue
		}
		from, to := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		f := bytes.Fields(stat[to+1:])
		if from < 0 || len(f) < 13 {
			return nil, fmt.Errorf("%s: %q", path, stat)
		}
		for _, ticks := range f[11:13] { // user and system time
			n, err := strconv.ParseInt(string(ticks), 10, 64)
			if err != nil {
				return nil, err
			}
			out[string(stat[from+1:to])] += time.Duration(n) * clockTick
		}
	}
	return out, nil
}

// MachineBusy is the CPU time that all processes and the kernel have used since the machine began.
func MachineBusy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var sum int64
	for i, f := range bytes.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 7 { // the name, idle, waiting for disks, stolen and guests
			continue
		}
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %q", line)
		}
		sum += n
	}
	return time.Duration(sum) * clockTick, nil
}
