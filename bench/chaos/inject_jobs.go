package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// compactBeside compacts the closed days (the producer's late events are of some) while everything else goes on: once, two
// at the same time, or killed on the way and begun again.
func compactBeside(w *world, f *fault) (bool, string) {
	w.compacting.Lock()
	defer w.compacting.Unlock()
	detail := ""
	switch f.Step {
	case "kill":
		killed := w.killed(f.Hold, "compact", "--config", w.config("direct"))
		detail = fmt.Sprintf("killed after %s: %t; ", f.Hold.Round(time.Millisecond), killed)
	case "two":
		var other sync.WaitGroup
		defer other.Wait()
		other.Go(func() { _, _, _ = w.compact() })
	}
	days, failed, err := w.compact()
	if err != nil {
		return false, detail + err.Error()
	}
	return true, detail + fmt.Sprintf("%d days compacted, %d given up", days, failed)
}

// killed starts a command and kills it after a while; false if it had ended before.
func (w *world) killed(after time.Duration, args ...string) bool {
	cmd := exec.CommandContext(w.ctx, w.binary, args...)
	if cmd.Start() != nil {
		return false
	}
	time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// compact runs the command once. Days may be given up, where another compaction was there first or the store was away.
func (w *world) compact() (days, failed int, err error) {
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	out, errs, err := output(ctx, w.binary, nil, "compact", "--json", "--config", w.config("direct"))
	var r struct {
		Days   []json.RawMessage
		Failed []string
	}
	if jsonErr := json.Unmarshal(out, &r); jsonErr != nil {
		return 0, 0, fmt.Errorf("compact: %w: %s", err, errs)
	}
	return len(r.Days), len(r.Failed), nil
}
