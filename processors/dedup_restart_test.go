package processors_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
)

// one is a record of a partition's log.
type one struct{ offset, id int64 }

func rows(log []one) *schemas.Batch {
	b := &schemas.Batch{}
	for _, r := range log {
		b.Append(&schemas.Row{EventID: r.id, Offset: r.offset})
	}
	return b
}

// repeats says by the rule's own words which records of a log are dropped.
func repeats(log []one, window int64) []int64 {
	var out []int64
	for i, r := range log {
		if slices.ContainsFunc(log[:i], func(o one) bool { return o.id == r.id && r.offset-window <= o.offset }) {
			out = append(out, r.offset)
		}
	}
	return out
}

// A worker that starts at any offset, having read what came before as the pipeline does, drops what any other drops: cut
// at every point, in batches of any size.
func TestDedupFromEveryPointDecidesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := int64(1) << rapid.IntRange(0, 6).Draw(t, "window bits")
		var log []one
		offset := rapid.Int64Range(0, 1000).Draw(t, "first")
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			offset += rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 3, window, 2 * window}).Draw(t, "step")
			log = append(log, one{offset, rapid.Int64Range(0, 12).Draw(t, "id")})
		}
		want := repeats(log, window)
		size := rapid.IntRange(1, 9).Draw(t, "batch")
		for start := range log {
			d, err := processors.NewDedup(window)
			if err != nil {
				t.Fatal(err)
			}
			from := start
			for from > 0 && log[from-1].offset >= log[start].offset-d.History() {
				from--
			}
			for _, part := range parts(log[from:start], size) {
				d.Remember(rows(part))
			}
			var got []int64
			for _, part := range parts(log[start:], size) {
				b := rows(part)
				if err := d.Process(b); err != nil {
					t.Fatal(err)
				}
				for i := range b.Len() {
					if b.Dropped(i) {
						got = append(got, b.Offset[i])
					}
				}
			}
			if later := slices.DeleteFunc(slices.Clone(want), func(o int64) bool { return o < log[start].offset }); !slices.Equal(got, later) {
				t.Fatalf("from offset %d: dropped %v, want %v", log[start].offset, got, later)
			}
		}
	})
}

func parts(log []one, size int) [][]one { return slices.Collect(slices.Chunk(log, size)) }
