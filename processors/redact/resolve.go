package redact

import (
	"cmp"
	"slices"
)

// resolve sorts spans[base:] and drops what overlaps a better one: the longest
// wins, then the more specific type, then the earlier. A span that loses is
// dropped whole; if its rest is data by itself, the next round finds it.
func resolve(spans []Span, base int) []Span {
	s := spans[base:]
	if len(s) < 2 {
		return spans
	}
	slices.SortFunc(s, func(a, b Span) int {
		return cmp.Or(a.Start-b.Start, b.End-a.End, cmp.Compare(b.Type, a.Type))
	})
	kept := s[:1]
	for _, next := range s[1:] {
		last := &kept[len(kept)-1]
		switch {
		case next.Start >= last.End:
			kept = append(kept, next)
		case next.beats(*last):
			*last = next
		}
	}
	return spans[:base+len(kept)]
}

func (s Span) beats(o Span) bool {
	if d := (s.End - s.Start) - (o.End - o.Start); d != 0 {
		return d > 0
	}
	return s.Type > o.Type
}
