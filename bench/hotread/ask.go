package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// meter counts what ClickHouse says that it read, by its answers' headers. One question at a time may use it.
type meter struct {
	mu                    sync.Mutex
	requests, rows, bytes int64
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	var read struct {
		Rows  string `json:"read_rows"`
		Bytes string `json:"read_bytes"`
	}
	if err := json.Unmarshal([]byte(w.Header.Get("X-ClickHouse-Summary")), &read); err != nil {
		return nil, errors.Join(err, w.Body.Close())
	}
	rows, _ := strconv.ParseInt(read.Rows, 10, 64)
	bytes, _ := strconv.ParseInt(read.Bytes, 10, 64)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests, m.rows, m.bytes = m.requests+1, m.rows+rows, m.bytes+bytes
	return w, nil
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests, m.rows, m.bytes = 0, 0, 0
}

// ask asks every question and prints a line for each.
func ask(ctx context.Context, o options, s *store, total int) error {
	fmt.Printf("%-50s %8s %8s %8s %8s %10s %9s %6s\n", "question", "p50 ms", "p99 ms", "CPU ms", "requests", "rows read", "MB read", "rows")
	for _, q := range questions(total) {
		if !o.only.MatchString(q.name) {
			continue
		}
		n := o.times
		if strings.HasPrefix(q.name, "SQL") {
			n = max(1, n/5)
		}
		if err := measure(ctx, n, s, q); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

// measure asks one question n times, each with arguments of its own, after a tenth as many to warm up.
func measure(ctx context.Context, n int, s *store, q question) error {
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // arguments of queries
	for range max(3, n/10) {
		if _, err := q.ask(ctx, s, r); err != nil {
			return err
		}
	}
	s.meter.reset()
	before, err := cpu(s.server.PID())
	if err != nil {
		return err
	}
	took := make([]time.Duration, n)
	rows := 0
	for i := range took {
		began := time.Now()
		got, err := q.ask(ctx, s, r)
		took[i] = time.Since(began)
		if err == nil && q.want >= 0 && got != q.want {
			err = fmt.Errorf("%d rows, want %d", got, q.want)
		}
		if err != nil {
			return err
		}
		rows += got
	}
	after, err := cpu(s.server.PID())
	if err != nil {
		return err
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	k := float64(n)
	fmt.Printf("%-50s %8.1f %8.1f %8.1f %8.1f %10.0f %9.2f %6.1f\n", q.name, ms(took[n/2]), ms(took[min(n-1, n*99/100)]), ms(after-before)/k,
		float64(s.meter.requests)/k, float64(s.meter.rows)/k, float64(s.meter.bytes)/1e6/k, float64(rows)/k)
	return nil
}

// cpu is the user and system time of a process, from /proc.
func cpu(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the second field, the name, may hold anything
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	var sum time.Duration
	for _, i := range []int{11, 12} {
		ticks, err := strconv.ParseInt(string(f[i]), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ticks) * 10 * time.Millisecond
	}
	return sum, nil
}

// processor is the CPU's name.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(name), ":"))
		}
	}
	return "unknown processor"
}
