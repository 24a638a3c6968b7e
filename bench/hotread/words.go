package main

import (
	"math"
	"math/rand/v2"
	"sort"
)

// vocabulary is how many words there are; the k-th is drawn in proportion to 1/k, as in natural text.
const vocabulary = 200_000

// words draws made-up words.
type words struct {
	until []float64 // until[k]: the chance of a word up to k
}

func newWords() *words {
	w := &words{until: make([]float64, vocabulary)}
	sum := 0.0
	for k := range w.until {
		sum += 1 / float64(k+1)
		w.until[k] = sum
	}
	for k := range w.until {
		w.until[k] /= sum
	}
	return w
}

func (w *words) draw(r *rand.Rand) int {
	return min(sort.SearchFloat64s(w.until, r.Float64()), vocabulary-1)
}

// expected is how many times word k stands in so many words.
func (w *words) expected(k int, of float64) float64 {
	return of / float64(k+1) / (math.Log(vocabulary) + 0.5772)
}

var syllables = []string{
	"ka", "to", "mi", "re", "su", "no", "la", "ve", "di", "ho", "pe", "ru", "ga", "ni", "so", "ba", "te", "lu", "fo", "we", "zi", "cha", "ly", "mo", "ta",
}

// appendWord appends word k: the commoner, the shorter.
func appendWord(dst []byte, k int) []byte {
	for k++; k > 0; k /= len(syllables) {
		dst = append(dst, syllables[k%len(syllables)]...)
	}
	return dst
}

func word(k int) string { return string(appendWord(nil, k)) }

// appendText appends a message of 3 to 20 words.
func (w *words) appendText(dst []byte, r *rand.Rand) []byte {
	for i := range 3 + r.IntN(18) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendWord(dst, w.draw(r))
	}
	return dst
}

// meanWords is the mean number of words in a message.
const meanWords = 11.5
