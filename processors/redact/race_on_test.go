//go:build race

package redact

// raceEnabled: pools drop what they hold under the race detector, so
// allocations cannot be counted.
const raceEnabled = true
