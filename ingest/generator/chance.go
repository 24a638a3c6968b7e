package generator

import (
	"math"
	"math/rand/v2"
)

// random makes a stream of random numbers of its own, so that a change to one part leaves the others' output alone.
func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// zipf draws from 0…n-1, item i with a weight of 1/(i+shift)^s, in constant time by Walker's alias method (as Vose
// builds its table: "A linear algorithm for generating random numbers with a given distribution", 1991).
type zipf struct {
	keep  []uint32 // chance of the slot's own item, of 2³²
	alias []int32
}

func newZipf(n int, s, shift float64) zipf {
	weights, sum := make([]float64, n), 0.0
	for i := range weights {
		weights[i] = 1 / math.Pow(float64(i)+shift, s)
		sum += weights[i]
	}
	z := zipf{keep: make([]uint32, n), alias: make([]int32, n)}
	var small, large []int32
	for i := range weights {
		weights[i] *= float64(n) / sum
		if weights[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		a, b := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		z.keep[a], z.alias[a] = uint32(weights[a]*math.MaxUint32), b
		if weights[b] -= 1 - weights[a]; weights[b] < 1 {
			large = large[:len(large)-1]
			small = append(small, b)
		}
	}
	for _, rest := range [][]int32{small, large} {
		for _, i := range rest {
			z.keep[i], z.alias[i] = math.MaxUint32, i
		}
	}
	return z
}

func (z *zipf) draw(r *rand.Rand) int {
	u := r.Uint64()
	i := int((u >> 32) * uint64(len(z.keep)) >> 32)
	if uint32(u) <= z.keep[i] {
		return i
	}
	return int(z.alias[i])
}

// picker chooses a fraction of all events: one at a random place in each stretch of 1/fraction events, so that the number
// chosen of N is N times the fraction, whatever N is.
type picker struct {
	fraction float64
	rng      *rand.Rand
	k, at    int64
}

func newPicker(fraction float64, rng *rand.Rand) *picker {
	p := &picker{fraction: fraction, rng: rng, k: -1, at: -1}
	if fraction > 0 {
		p.next()
	}
	return p
}

func (p *picker) next() {
	p.k++
	from, to := p.border(p.k), p.border(p.k+1)
	p.at = from
	if to > from {
		p.at += p.rng.Int64N(to - from)
	}
}

func (p *picker) border(k int64) int64 { return int64(math.Ceil(float64(k)/p.fraction - 1e-9)) }

// pick reports whether event i, counted from 0, is chosen. It is asked once of each in order.
func (p *picker) pick(i int64) bool {
	if i != p.at {
		return false
	}
	p.next()
	return true
}
