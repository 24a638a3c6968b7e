package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Parts of a system, as --pipelines names them.
const (
	partHot       = "hot"
	partCold      = "cold"
	partCommitter = "committer"
	partResolver  = "resolver"
)

var allParts = []string{partHot, partCold, partCommitter, partResolver}

func parseParts(list []string) ([]string, error) {
	if len(list) == 0 {
		return allParts, nil
	}
	for _, p := range list {
		if !slices.Contains(allParts, p) {
			return nil, fmt.Errorf("%w: --pipelines %q: choose from %s", errUsage, p, strings.Join(allParts, ","))
		}
	}
	return list, nil
}

func needsClickHouse(parts []string) bool {
	return slices.Contains(parts, partHot) || slices.Contains(parts, partResolver)
}

func needsLake(parts []string) bool {
	return slices.Contains(parts, partCold) || slices.Contains(parts, partCommitter)
}

// supervisor keeps parts running: hot and cold share a process, not their fate. A part that ends with an error is
// started again after a pause that grows, and is listed as failing until it has run for a while.
type supervisor struct {
	log *slog.Logger

	mu      sync.Mutex
	failing map[string]string    // what each part that does not work says
	since   map[string]time.Time // and when it last did
}

const (
	firstPause  = time.Second
	mostPause   = 30 * time.Second
	healthyTime = 20 * time.Second // a part that ran this long has recovered
)

// keep runs a part until ctx ends.
func (s *supervisor) keep(ctx context.Context, name string, run func(context.Context) error) {
	pause := firstPause
	for {
		start := time.Now()
		recovered := time.AfterFunc(healthyTime, func() { s.set(name, nil) })
		err := run(ctx)
		recovered.Stop()
		if ctx.Err() != nil {
			if err != nil {
				s.log.Warn("part ended", "part", name, "error", err)
			}
			return
		}
		if err == nil {
			err = fmt.Errorf("ended by itself")
		}
		if time.Since(start) > healthyTime {
			pause = firstPause
		}
		s.set(name, err)
		s.log.Error("part stopped; it will be started again", "part", name, "in", pause, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, mostPause)
	}
}

func (s *supervisor) set(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing == nil {
		s.failing, s.since = map[string]string{}, map[string]time.Time{}
	}
	if err == nil {
		delete(s.failing, name)
		return
	}
	s.failing[name], s.since[name] = name+": "+err.Error(), time.Now()
}

// passingTime is how long an error that a part gets over by itself is shown, unless it comes again.
const passingTime = 30 * time.Second

// passing lists a part as failing for a while.
func (s *supervisor) passing(name string, err error) {
	s.set(name, err)
	time.AfterFunc(passingTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failing[name] == name+": "+err.Error() && time.Since(s.since[name]) >= passingTime {
			delete(s.failing, name)
		}
	})
}

func (s *supervisor) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for _, text := range s.failing {
		out = append(out, text)
	}
	sort.Strings(out)
	return out
}
