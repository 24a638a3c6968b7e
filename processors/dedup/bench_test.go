package dedup

import (
	"fmt"
	"testing"
)

// feed gives the set records from offset on, as the pipeline does, and the next
// offset.
func feed(s *Set, offset int64, n int) int64 {
	var ids, offsets [WarmRows]int64
	var hashes [WarmRows]uint64
	for done := 0; done < n; done += WarmRows {
		for i := range ids {
			offsets[i] = offset + int64(i)
			ids[i] = snowflake(offsets[i])
		}
		s.Warm(ids[:], hashes[:], offsets[:])
		for i := range ids {
			s.Seen(ids[i], hashes[i], offsets[i])
		}
		offset += WarmRows
	}
	return offset
}

// BenchmarkSeen measures a full set: each event is looked up, an old one is
// expired and the new one put in. ns/op is the cost of an id.
func BenchmarkSeen(b *testing.B) {
	for _, millions := range []int64{1, 4, 16} {
		window := millions << 20
		s, err := New(window)
		if err != nil {
			b.Fatal(err)
		}
		o := feed(s, 0, int(window+window/8))
		b.Run(fmt.Sprintf("ids=%dM", millions), func(b *testing.B) {
			b.ReportAllocs()
			o = feed(s, o, b.N)
			b.ReportMetric(float64(s.Bytes())/float64(window), "bytes/id")
		})
		b.Run(fmt.Sprintf("ids=%dM/one", millions), func(b *testing.B) { // without Warm
			for range b.N {
				s.Seen(snowflake(o), 0, o)
				o++
			}
		})
	}
}

// BenchmarkRebuild measures filling an empty set from its whole window.
func BenchmarkRebuild(b *testing.B) {
	for _, millions := range []int64{1, 4, 16} {
		window := millions << 20
		b.Run(fmt.Sprintf("ids=%dM", millions), func(b *testing.B) {
			for range b.N {
				s, err := New(window)
				if err != nil {
					b.Fatal(err)
				}
				feed(s, 0, int(window))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(window), "ns/id")
		})
	}
}

// snowflake is an id as a busy producer makes it: a few a millisecond.
func snowflake(o int64) int64 { return (1_400_000_000_000+o/4)<<22 | o&3 }
