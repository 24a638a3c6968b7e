package protocol

import (
	"fmt"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// Result is what an exploration found.
type Result struct {
	States, Moves, Depth int
	Took                 time.Duration
	Cut                  bool   // Limit was reached: not all was seen
	Bad                  string // the first promise that is broken, at the least depth; "" for none
	Trace                []string
}

// String tells what was found, with the way to it.
func (r *Result) String() string {
	if r.Bad == "" {
		return "no promise is broken"
	}
	return strings.Join(r.Trace, "\n") + "\n=> " + r.Bad
}

type key = xxh3.Uint128

// explorer is a search that goes on level by level.
type explorer struct {
	c       *Config
	seen    map[key]int32
	keys    []key
	parents []int32
	edges   []edge
	done    []int32 // states in which the table is complete
	level   []State
	first   int32 // number of the first state of level
	ahead   []State
	moves   int
}

type edge struct{ from, to int32 }

// Explore visits every state that can be reached, until one breaks a promise. Then it looks for states from which the
// table can never become complete.
func Explore(c Config) *Result {
	begin := time.Now()
	e := &explorer{c: &c, seen: map[key]int32{}}
	start := c.start()
	start = c.canon(&start)
	e.add(&start, -1)
	r := &Result{}
	for ; len(e.ahead) > 0 && r.Bad == "" && !r.Cut; r.Depth++ {
		e.first += int32(len(e.level))
		e.level, e.ahead = e.ahead, e.level[:0:0]
		e.expand(r)
	}
	if r.Bad == "" && !r.Cut && !c.Lossy {
		e.deadEnds(r)
	}
	r.States, r.Moves, r.Took = len(e.keys), e.moves, time.Since(begin)
	return r
}

// add notes a state and gives its number.
func (e *explorer) add(s *State, parent int32) int32 {
	k := xxh3.Hash128(s.bytes())
	if n, ok := e.seen[k]; ok {
		return n
	}
	n := int32(len(e.keys))
	e.seen[k] = n
	e.keys, e.parents = append(e.keys, k), append(e.parents, parent)
	e.ahead = append(e.ahead, *s)
	if e.c.complete(s) {
		e.done = append(e.done, n)
	}
	return n
}

// expand visits a level.
func (e *explorer) expand(r *Result) {
	for i := range e.level {
		s, at := &e.level[i], e.first+int32(i)
		e.c.next(s, func(m Move, n *State, bad string) {
			if r.Bad != "" {
				return
			}
			e.moves++
			if bad == "" {
				bad = wrongStep(s, n)
			}
			if bad == "" {
				bad = e.c.wrong(n)
			}
			if bad != "" {
				r.Bad, r.Trace = bad, append(e.trace(at), m.String())
				return
			}
			canon := e.c.canon(n)
			to := e.add(&canon, at)
			if to != at && !e.c.Lossy {
				e.edges = append(e.edges, edge{at, to})
			}
		})
		if e.c.Limit > 0 && len(e.keys) > e.c.Limit {
			r.Cut = true
		}
		if r.Bad != "" || r.Cut {
			return
		}
	}
}

// deadEnds goes back from the states in which the table is complete; what it does not come to is a dead end.
func (e *explorer) deadEnds(r *Result) {
	starts := make([]int32, len(e.keys)+1)
	for _, x := range e.edges {
		starts[x.to+1]++
	}
	for i := range e.keys {
		starts[i+1] += starts[i]
	}
	back, fill := make([]int32, len(e.edges)), append([]int32{}, starts...)
	for _, x := range e.edges {
		back[fill[x.to]] = x.from
		fill[x.to]++
	}
	reached, work := make([]bool, len(e.keys)), e.done
	for _, n := range work {
		reached[n] = true
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		for _, from := range back[starts[n]:starts[n+1]] {
			if !reached[from] {
				reached[from] = true
				work = append(work, from)
			}
		}
	}
	for n, ok := range reached {
		if !ok {
			r.Bad, r.Trace = "from here the table can never become complete", e.trace(int32(n))
			return
		}
	}
}

// trace gives the moves that lead to a state. States are kept under canonical names, in which an actor may be called
// another at every step; so the way is walked again from the start, with names that stay.
func (e *explorer) trace(n int32) []string {
	var way []int32
	for at := n; at > 0; at = e.parents[at] {
		way = append(way, at)
	}
	s := e.c.start()
	var moves []string
	for i := len(way) - 1; i >= 0; i-- {
		found := false
		from := s
		e.c.next(&from, func(m Move, to *State, _ string) {
			if found {
				return
			}
			canon := e.c.canon(to)
			if xxh3.Hash128(canon.bytes()) == e.keys[way[i]] {
				found, s = true, *to
				moves = append(moves, m.String())
			}
		})
		if !found {
			return append(moves, "(the way could not be walked again)")
		}
	}
	return moves
}

// String says a move in words.
func (m Move) String() string {
	switch strings.Count(m.What, "%d") {
	case 0:
		return m.What
	case 1:
		return fmt.Sprintf(m.What, m.A)
	}
	return fmt.Sprintf(m.What, m.A, m.B)
}
