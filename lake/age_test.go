package lake_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/coldstream/coldstream/lake"
)

// The machine slept for two days: the wall clock says so, the monotonic one does not. A file of before is old.
func TestAgeCountsTheMachinesSleep(t *testing.T) {
	made := time.Now()
	const seconds = 30 // where a time with a monotonic reading keeps its wall clock's
	*(*uint64)(unsafe.Pointer(&made)) -= 48 * 3600 << seconds
	now := time.Now()
	if monotonic := now.Sub(made); monotonic > time.Minute {
		t.Fatalf("the times do not differ as they should: %v", monotonic)
	}
	if got := lake.Age(now, made); got < 48*time.Hour {
		t.Errorf("%v after the sleep", got)
	}
}

// The wall clock was set back: the monotonic one says how old a file is.
func TestAgeKnowsWhenTheClockWasSetBack(t *testing.T) {
	made := time.Now()
	*(*uint64)(unsafe.Pointer(&made)) += 48 * 3600 << 30
	if got := lake.Age(time.Now().Add(time.Hour), made); got < time.Hour {
		t.Errorf("%v after an hour", got)
	}
	wall := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	if got := lake.Age(wall.Add(time.Minute), wall); got != time.Minute {
		t.Errorf("%v by the wall clock alone", got)
	}
}
