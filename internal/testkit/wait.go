package testkit

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"
)

// pollEvery is the pause between two looks at a condition.
const pollEvery = 10 * time.Millisecond

// Eventually polls condition until it returns nil, and fails the test with its last error when timeout has passed.
func Eventually(t testing.TB, timeout time.Duration, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", timeout, err)
		}
		time.Sleep(pollEvery)
	}
}

// Name returns a name that no other test uses: valid as topic, group, bucket and database.
func Name(t testing.TB) string {
	t.Helper()
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatalf("testkit: random name: %v", err)
	}
	return "t" + hex.EncodeToString(random[:])
}
