//go:build race

package processors_test

// pooled says how many allocations a pooled object costs: with the race detector on, sync.Pool forgets one in four.
const pooled = 0.25
