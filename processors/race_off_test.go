//go:build !race

package processors_test

// pooled says how many allocations a pooled object costs.
const pooled = 0.0
