package testkit

import "testing"

// Must gives the value of a call that has to succeed: Must[int](t)(strconv.Atoi("1")).
func Must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
