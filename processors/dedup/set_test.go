package dedup

import (
	"testing"

	"pgregory.net/rapid"
)

// record is one decodable record of a partition's log.
type record struct {
	offset int64
	key    key
}

// naive is the rule, word for word.
func naive(log []record, i int, window int64) bool {
	for _, r := range log[:i] {
		if r.key == log[i].key && log[i].offset-window <= r.offset {
			return true
		}
	}
	return false
}

// drawLog draws a log with gaps, few distinct keys (the zero key among them)
// and therefore chains of repeats.
func drawLog(t *rapid.T, window int64) []record {
	n := rapid.IntRange(1, 300).Draw(t, "records")
	keys := rapid.Int64Range(1, 4*window).Draw(t, "keys")
	offset := rapid.Int64Range(0, 1<<40).Draw(t, "first")
	log := make([]record, n)
	for i := range log {
		gap := int64(1)
		switch rapid.IntRange(0, 19).Draw(t, "gap kind") {
		case 0:
			gap = rapid.Int64Range(1, 2*window+2).Draw(t, "gap")
		case 1, 2, 3:
			gap = 2
		}
		offset += gap
		k := rapid.Int64Range(0, keys).Draw(t, "key")
		log[i] = record{offset, key{k / 2, uint64(k % 2)}}
	}
	return log
}

func TestSetFollowsTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := int64(1) << rapid.IntRange(0, 7).Draw(t, "window bits")
		log := drawLog(t, window)
		s, err := New(window)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range log {
			if got, want := s.Seen(r.key.id, r.key.hash, r.offset), naive(log, i, window); got != want {
				t.Fatalf("record %d at %d: Seen = %v, the rule says %v", i, r.offset, got, want)
			}
		}
	})
}

// A rewind to any record, rebuilt from the window before it, decides as the
// first run did.
func TestRewindDecidesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := int64(1) << rapid.IntRange(0, 6).Draw(t, "window bits")
		log := drawLog(t, window)
		s, err := New(window)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]bool, len(log))
		for i, r := range log {
			first[i] = s.Seen(r.key.id, r.key.hash, r.offset)
		}
		for range 5 {
			to := rapid.IntRange(0, len(log)-1).Draw(t, "rewind to")
			s.Reset()
			for i, r := range log {
				if i < to && r.offset < log[to].offset-window {
					continue
				}
				got := s.Seen(r.key.id, r.key.hash, r.offset)
				if i >= to && got != first[i] {
					t.Fatalf("after a rewind to %d, record %d: %v, first %v", to, i, got, first[i])
				}
			}
		}
	})
}

// A window of real size, filled several times over: the table grows, clusters
// form and are taken apart, far entries included.
func TestLargeWindowAgainstMap(t *testing.T) {
	const window = 1 << 14
	s, err := New(window)
	if err != nil {
		t.Fatal(err)
	}
	latest := map[key]int64{}
	var offset int64
	x := uint64(1)
	for range 20 * window {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		offset++
		if x>>60 == 0 {
			offset += int64(x>>40) & 7
		}
		k := key{int64(x % (3 * window)), 0}
		at, ok := latest[k]
		if got, want := s.Seen(k.id, k.hash, offset), ok && offset-at <= window; got != want {
			t.Fatalf("key %d at %d: Seen = %v, want %v", k.id, offset, got, want)
		}
		latest[k] = offset
	}
	if got := s.Bytes(); got > MaxBytes(window) || got > 24*window {
		t.Errorf("a full set takes %d bytes, above 24 × %d", got, window)
	}
}

func TestMemoryStartsSmallAndStaysInBudget(t *testing.T) {
	const window = 1 << 20
	s, err := New(window)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Bytes(); got > window {
		t.Errorf("an empty set takes %d bytes", got)
	}
	for o := range int64(window + window/4) {
		s.Seen(o+1, 0, o)
	}
	if got := s.Bytes(); got > 24*window {
		t.Errorf("a full set takes %d bytes, above %d", got, 24*window)
	}
	var o int64 = 2 * window
	if n := testing.AllocsPerRun(1000, func() { s.Seen(-o, 7, o); o++ }); n != 0 {
		t.Errorf("%v allocations an event in a full set", n)
	}
}

func TestNewRefusesWindowsItCannotHold(t *testing.T) {
	for _, n := range []int64{-1, 0, 3, 1000, MaxWindow * 2} {
		if _, err := New(n); err == nil {
			t.Errorf("New(%d) accepted it", n)
		}
	}
}

func TestSeenPanicsOnRewindWithoutReset(t *testing.T) {
	s, err := New(16)
	if err != nil {
		t.Fatal(err)
	}
	s.Seen(1, 0, 10)
	defer func() {
		if recover() == nil {
			t.Error("Seen at a lower offset did not panic")
		}
	}()
	s.Seen(1, 0, 10)
}
