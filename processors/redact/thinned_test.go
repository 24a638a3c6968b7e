package redact

// thinned is a number of repetitions or a size, less of it under the race
// detector, which makes each some twenty times as slow: what a test asserts is
// the same, and the other build holds it for all of the cases.
func thinned(n int) int {
	if raceEnabled {
		return n / 8
	}
	return n
}
