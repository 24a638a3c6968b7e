package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profiled runs do under a CPU profile that goes to file; without a file it only runs it.
func profiled(file string, do func() error) (err error) {
	if file == "" {
		return do()
	}
	f, err := os.Create(file)
	if err != nil {
		return usagef("--cpuprofile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return failed(fmt.Errorf("--cpuprofile: %w", err))
	}
	defer pprof.StopCPUProfile()
	return do()
}
