package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// upkeepSlot is who stands for the upkeep's commands where processes are told apart.
const upkeepSlot = "upkeep"

// sweepMargin is how old an object must be before a sweep may take it. Workers give up what they could not announce within
// a quarter of it.
const sweepMargin = 60 * time.Second

// upkeep expires versions and sweeps while everything else goes on. Either may fail, where a fault has the store or the
// committer is behind.
func upkeep(w *world, _ *fault) (bool, string) {
	return w.tidy()
}

// tidy runs both commands once; false if none of them did its work.
func (w *world) tidy() (bool, string) {
	w.compacting.Lock()
	defer w.compacting.Unlock()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	_, expireErrs, expireErr := output(ctx, w.binary, nil, "lake", "expire", "--json", "--config", w.config("direct"))
	out, sweepErrs, sweepErr := output(ctx, w.binary, nil, "sweep", "--json", "--config", w.config("direct"))
	var r struct {
		Deleted []json.RawMessage
		Young   int
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return false, fmt.Sprintf("expire: %v %s; sweep: %v %s", expireErr, expireErrs, sweepErr, sweepErrs)
	}
	return sweepErr == nil, fmt.Sprintf("%d objects swept, %d too young", len(r.Deleted), r.Young)
}

// killUpkeep kills a compaction, an expiry or a sweep at a step, and lets another finish.
func killUpkeep(w *world, f *fault) (bool, string) {
	w.compacting.Lock()
	args := []string{"compact"}
	switch {
	case strings.HasPrefix(f.Step, "expire."):
		args = []string{"lake", "expire"}
	case strings.HasPrefix(f.Step, "sweep."):
		args = []string{"sweep"}
		_, _, _ = output(w.ctx, w.binary, nil, "lake", "expire", "--json", "--config", w.config("direct")) // so that there is something to sweep
	}
	fired := w.killedAt(f.Step, append(args, "--config", w.config("direct"))...)
	w.compacting.Unlock()
	if args[0] == "compact" {
		days, failed, err := w.compact()
		return fired, fmt.Sprintf("again: %d days compacted, %d given up, %v", days, failed, err)
	}
	_, again := w.tidy()
	return fired, "again: " + again
}

// killedAt runs a command and kills it when it comes to a step; false if it never did.
func (w *world) killedAt(step string, args ...string) bool {
	socket := filepath.Join(w.dir, upkeepSlot+".sock")
	points, err := w.traps.listen(upkeepSlot, socket)
	if err != nil {
		return false
	}
	defer points.Close()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Env = append(os.Environ(), "COLDSTREAM_FAULTS="+socket)
	if cmd.Start() != nil {
		return false
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	_, fired := w.traps.armUntil(ended, step, []string{upkeepSlot}, patience)
	_ = cmd.Process.Kill() // it stands at the step, or has ended
	<-ended
	return fired
}

// committerAway keeps all committers away for longer than the sweep's margin, and sweeps meanwhile: what the workers have
// announced must not be taken, however old it is.
func committerAway(w *world, f *fault) (bool, string) {
	for _, name := range committerSlots {
		s := w.slots[name]
		s.faulty.Lock()
		defer s.faulty.Unlock()
		w.procs[name].signal(syscall.SIGSTOP)
	}
	refused, swept := 0, 0
	for end := time.Now().Add(f.Hold); time.Now().Before(end); {
		if ok, _ := w.tidy(); ok {
			swept++
		} else {
			refused++
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(5 * sec):
		}
	}
	for _, name := range committerSlots {
		w.procs[name].signal(syscall.SIGCONT)
	}
	return refused+swept > 0, fmt.Sprintf("away for %s: swept %d times, refused %d times", f.Hold.Round(sec), swept, refused)
}
