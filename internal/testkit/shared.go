package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared holds the servers of this test process.
var shared struct {
	mu   sync.Mutex
	dir  string
	stop []func() error // in order of starting
}

// server is one shared server: started at the first use; a start that failed fails every test that asks.
type server[T any] struct {
	once  sync.Once
	value T
	err   error
}

// get starts the server if need be. start gets a folder of its own and returns how to stop it.
func (s *server[T]) get(t testing.TB, name string, start func(dir string) (T, func() error, error)) T {
	t.Helper()
	needMain(t)
	s.once.Do(func() {
		var dir string
		if dir, s.err = sharedDir(); s.err != nil {
			return
		}
		var stop func() error
		if s.value, stop, s.err = start(filepath.Join(dir, name)); s.err != nil {
			return
		}
		shared.mu.Lock()
		defer shared.mu.Unlock()
		shared.stop = append(shared.stop, stop)
	})
	if s.err != nil {
		t.Fatalf("testkit: start %s: %v", name, s.err)
	}
	return s.value
}

// sharedDir is the temporary folder of this test process. No lock is held while a server starts: one may start another.
func sharedDir() (dir string, err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.dir == "" {
		shared.dir, err = os.MkdirTemp("", "coldstream-test-")
	}
	return shared.dir, err
}

// stopShared stops the servers, the latest first, and removes their data.
func stopShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	var errs []error
	for i := len(shared.stop) - 1; i >= 0; i-- {
		errs = append(errs, shared.stop[i]())
	}
	shared.stop = nil
	if shared.dir != "" {
		if err := os.RemoveAll(shared.dir); err != nil {
			errs = append(errs, fmt.Errorf("remove %s: %w", shared.dir, err))
		}
	}
	return errors.Join(errs...)
}
