package redact

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// seeds are the lines of testdata/texts without their marks, and the pieces.
func seeds(t testing.TB) (all [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/texts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			text, _ := marked(t, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `\n`, "\n"))
			all = append(all, text)
		}
	}
	for _, p := range pieces {
		all = append(all, []byte(p))
	}
	return all
}

func FuzzFind(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		checkSpans(t, e, text)
	})
}

// FuzzType looks for one type alone, which the first byte picks: no other takes
// away what it would stumble over.
func FuzzType(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(append([]byte{byte(i)}, s...))
	}
	engines := single(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 0 {
			checkSpans(t, engines[int(text[0])%len(engines)], text[1:])
		}
	})
}

// single are engines for one type each.
func single(t testing.TB) []*Engine {
	t.Helper()
	var engines []*Engine
	for _, on := range Types() {
		var p Policy
		for _, typ := range Types() {
			if typ != on {
				p.Off = append(p.Off, typ)
			}
		}
		e, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		engines = append(engines, e)
	}
	return engines
}

// FuzzPieces joins pieces, which random bytes would not come upon.
func FuzzPieces(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4})
	f.Add([]byte{40, 5, 6, 33, 34, 12, 0})
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, picks []byte) {
		var text bytes.Buffer
		for _, p := range picks[:min(len(picks), 64)] {
			text.WriteString(pieces[int(p)%len(pieces)])
		}
		checkSpans(t, e, text.Bytes())
	})
}

// TestMutationsKeepThePromises changes the seeds at random, by the engine with
// all types and by those of one. COLDSTREAM_SOAK is how long, a second else.
func TestMutationsKeepThePromises(t *testing.T) {
	limit := time.Second
	if s := os.Getenv("COLDSTREAM_SOAK"); s != "" {
		var err error
		if limit, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if limit == time.Second {
		seed = 7
	}
	m := mutator{r: rand.New(rand.NewPCG(seed, 1)), seeds: seeds(t)}
	engines := append(single(t), newEngine(t))
	runs := 0
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		for range 100 {
			text := m.next()
			if runs++; runs%8 == 0 {
				checkSpans(t, engines[len(engines)-1], text)
			} else {
				checkSpans(t, engines[m.r.IntN(len(engines)-1)], text)
			}
		}
	}
	t.Logf("%d executions, seed %d", runs, seed)
}

// mutator makes texts from others.
type mutator struct {
	r     *rand.Rand
	seeds [][]byte
	buf   []byte
}

// next is a part of a seed with up to five changes; it is valid until the next
// call.
func (m *mutator) next() []byte {
	s := m.seeds[m.r.IntN(len(m.seeds))]
	from := m.r.IntN(len(s) + 1)
	m.buf = append(m.buf[:0], s[from:min(len(s), from+1+m.r.IntN(60))]...)
	for range m.r.IntN(6) {
		at := m.r.IntN(len(m.buf) + 1)
		switch m.r.IntN(5) {
		case 0: // another character
			if at < len(m.buf) {
				m.buf[at] = signs[m.r.IntN(len(signs))]
			}
		case 1: // one more
			m.insert(at, []byte{signs[m.r.IntN(len(signs))]})
		case 2: // some less
			m.buf = append(m.buf[:at], m.buf[min(len(m.buf), at+1+m.r.IntN(3)):]...)
		case 3: // a piece
			m.insert(at, []byte(pieces[m.r.IntN(len(pieces))]))
		case 4: // a part of another
			o := m.seeds[m.r.IntN(len(m.seeds))]
			from := m.r.IntN(len(o) + 1)
			m.insert(at, o[from:min(len(o), from+m.r.IntN(30))])
		}
	}
	return m.buf
}

// signs are the bytes that matter to some detector.
var signs = []byte("0123456789aAbBfFxXzZ @.:-_/=+()[]{}<>\"'`\\,;#%&*~|$!?\n\t\x00\x80\xc3\xa9\xe2\xff")

func (m *mutator) insert(at int, b []byte) {
	m.buf = append(m.buf, b...)
	copy(m.buf[at+len(b):], m.buf[at:len(m.buf)-len(b)])
	copy(m.buf[at:], b)
}
