package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// fault is one planned fault. Everything about it comes from the seed; what happens then also depends on the machine.
type fault struct {
	N    int
	Kind *kind
	Step string        // of the protocol, or class of request; empty where the kind has none
	Pick int           // which of the processes, by number modulo how many there are
	Hold time.Duration // how long it lasts, within the kind's bounds
	Gap  time.Duration // from its beginning to the next one's
}

// kind is a kind of fault.
type kind struct {
	name     string
	steps    []string
	min, max time.Duration // bounds of Hold
	often    int           // how many times it comes before every other kind has come once; 0: once
	alone    bool          // no other fault at the same time
	last     int           // a scenario: at the end of a world, those of a lower number first; 0: no scenario
	inject   func(w *world, f *fault) (fired bool, detail string)
}

// deck deals its cards in a random order, and all of them before one comes again.
type deck[T any] struct {
	cards []T
	left  []T
}

func (d *deck[T]) deal(r *rand.Rand) T {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.cards)
		r.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	card := d.left[0]
	d.left = d.left[1:]
	return card
}

// plan makes the faults of a run from its seed.
func plan(o options) ([]*fault, error) {
	chosen, err := choose(o.kinds, o.skip)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(o.seed, 1))
	kinds, steps := deck[*kind]{}, map[*kind]*deck[string]{}
	for _, k := range chosen {
		often := max(1, k.often)
		if o.even {
			often = 1
		}
		for range often {
			kinds.cards = append(kinds.cards, k)
		}
		steps[k] = &deck[string]{cards: k.steps}
	}
	if o.n == 0 {
		o.n = len(kinds.cards)
	}
	faults := make([]*fault, o.n)
	for i := range faults {
		k := kinds.deal(r)
		f := &fault{N: i + 1, Kind: k, Pick: r.IntN(1 << 20), Hold: k.min}
		f.Gap = o.gap/2 + time.Duration(r.Int64N(int64(o.gap)+1))
		if k.max > k.min {
			f.Hold += time.Duration(r.Int64N(int64(k.max - k.min)))
		}
		if len(k.steps) > 0 {
			f.Step = steps[k].deal(r)
		}
		faults[i] = f
	}
	for at := 0; at < len(faults); at += max(1, o.world) { // scenarios end a world, since the topics may not outlive them
		part := faults[at:min(at+o.world, len(faults))]
		slices.SortStableFunc(part, func(a, b *fault) int { return a.Kind.last - b.Kind.last })
	}
	return faults, nil
}

// choose gives the kinds that are named, all if none is, but those to skip.
func choose(names, skip []string) ([]*kind, error) {
	all := kinds()
	known := make([]string, len(all))
	for i, k := range all {
		known[i] = k.name
	}
	for _, name := range slices.Concat(names, skip) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no kind of fault is called %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(k *kind) bool {
		return slices.Contains(skip, k.name) || len(names) > 0 && !slices.Contains(names, k.name)
	}), nil
}
