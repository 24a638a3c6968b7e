package main

import (
	"os"
	"runtime/debug"
)

// garbagePercent is how much garbage may lie about before a collection, in percent of what is in use. What a worker holds
// is columns and text without pointers, which a collection does not look into: it costs little, and with Go's default of
// 100 % the process would take twice what it holds.
const garbagePercent = 30

// boundGarbage sets it, unless the user has set GOGC.
func boundGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
