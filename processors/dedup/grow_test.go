package dedup

import "testing"

// Growing costs each record a bounded amount of work: a few places of the old
// table, and no more segments than it writes to.
func TestGrowthHasNoPause(t *testing.T) {
	const window = 1 << 20
	s, err := New(window)
	if err != nil {
		t.Fatal(err)
	}
	grown := 0
	for o := range int64(window) {
		before, made, left := s.table, s.table.made, 0
		if s.old != nil {
			left = s.old.used
		}
		s.Seen(o*7919+1, 0, o)
		switch {
		case s.table != before:
			grown++
			made = 0
		case s.old != nil && left-s.old.used > moveStep+1:
			t.Fatalf("record %d moved %d entries", o, left-s.old.used)
		}
		if n := s.table.made - made; n > moveStep+1 {
			t.Fatalf("record %d made %d segments", o, n)
		}
	}
	if grown != 1 || s.old != nil {
		t.Errorf("the table grew %d times; the old one is gone: %v", grown, s.old == nil)
	}
}

// While the table grows, what is in the old one is found, repeated, expired and
// forgotten as ever.
func TestRuleHoldsWhileGrowing(t *testing.T) {
	const window = 1 << 12
	s, err := New(window)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		latest := map[int64]int64{}
		var offset int64
		growing := 0
		for i := range int64(6 * window) {
			offset++
			if i%97 == 0 {
				offset += i % 61
			}
			id := i * 2862933555777941757 % (2 * window)
			at, ok := latest[id]
			if got, want := s.Seen(id, 3, offset), ok && offset-at <= window; got != want {
				t.Fatalf("round %d: id %d at %d: %v, want %v", round, id, offset, got, want)
			}
			latest[id] = offset
			if s.old != nil {
				growing++
			}
			if round == 1 && growing == 3 {
				break // and reset in the middle of it
			}
		}
		if round == 0 && growing == 0 {
			t.Fatal("the table never grew: the test shows nothing")
		}
		s = restarted(t, s, round)
	}
}

// restarted gives the set for the next round: once as Reset leaves it, else new.
func restarted(t *testing.T, s *Set, round int) *Set {
	t.Helper()
	if round == 1 {
		s.Reset()
		return s
	}
	s, err := New(s.window)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
