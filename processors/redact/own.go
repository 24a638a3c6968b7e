package redact

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/coregx/ahocorasick"
)

// Detector is one of the user's own: a list of literals, or a pattern.
type Detector struct {
	// Name stands in marks: 1 to 15 of a-z and _, and no built-in type's.
	Name   string
	Action Action
	// Literals are found as whole words in plain forms of text, without regard
	// to the case of A-Z.
	Literals []string
	// Pattern is in RE2 syntax; see Go's regexp/syntax. It is tried on text that
	// holds Requires alone, which keeps the scan of all other text fast. If it
	// has a group, the first is what is found, else the whole match.
	Pattern, Requires string
}

const (
	maxOwn      = 100
	minLiteral  = 2
	maxLiterals = 256 << 10 // bytes of all literals; the automaton takes about 250 times as much memory
)

// own finds what the user's detectors describe.
type own struct {
	words    *ahocorasick.Automaton // over the literals, and what patterns require
	meanings []meaning              // of each of its words
	patterns []pattern
}

// meaning is what a word stands for: a value, or what a pattern requires.
type meaning struct {
	t       Type
	pattern int // -1: the word is a value
}

type pattern struct {
	t  Type
	re *regexp.Regexp
}

// only is the same with the chosen types alone.
func (o *own) only(chosen func(Type) bool) *own {
	out := *o
	out.meanings = slices.Clone(o.meanings)
	any := false
	for i := range out.meanings {
		if chosen(out.meanings[i].t) {
			any = true
		} else {
			out.meanings[i].t = off
		}
	}
	if !any {
		return nil
	}
	return &out
}

// off is the type of a word that is not looked for.
const off Type = 255

// addOwn makes the user's detectors ready, each with a type after the built-in.
func (e *Engine) addOwn(detectors []Detector) error {
	if len(detectors) == 0 {
		return nil
	}
	if len(detectors) > maxOwn {
		return fmt.Errorf("redact: %d own detectors; at most %d", len(detectors), maxOwn)
	}
	e.names = slices.Clone(e.names)
	o, words := &own{}, []string(nil)
	size := 0
	for _, d := range detectors {
		if err := d.validate(e.names); err != nil {
			return err
		}
		t := Type(len(e.names))
		e.names, e.actions = append(e.names, d.Name), append(e.actions, d.Action)
		e.ownRules = append(e.ownRules, d.rule())
		mean, list := meaning{t, -1}, d.Literals
		if d.Pattern != "" {
			mean.pattern, list = len(o.patterns), []string{d.Requires}
			o.patterns = append(o.patterns, pattern{t, regexp.MustCompile(d.Pattern)}) // validate has compiled it
		}
		for _, l := range list {
			words, o.meanings = append(words, plainLower(l)), append(o.meanings, mean)
			size += len(l)
		}
	}
	if size > maxLiterals {
		return fmt.Errorf("redact: own detectors have %d bytes of literals; at most %d", size, maxLiterals)
	}
	var err error
	if o.words, err = ahocorasick.NewBuilder().AddStrings(words).Build(); err != nil {
		return fmt.Errorf("redact: literals of own detectors: %w", err)
	}
	e.own, e.always = o, true
	return nil
}

// validate says what is wrong with a detector; taken are the names that are.
func (d Detector) validate(taken []string) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("redact: detector %q: "+format, append([]any{d.Name}, a...)...)
	}
	switch {
	case d.Name == "" || nameLen([]byte(d.Name)) != len(d.Name):
		return bad("a name is 1 to %d of a-z and _", maxName)
	case slices.Contains(taken, d.Name):
		return bad("the name is taken")
	case d.Action >= actionCount:
		return bad("no action %v", d.Action)
	case (len(d.Literals) == 0) == (d.Pattern == ""):
		return bad("either literals or a pattern is wanted")
	case d.Pattern == "" && d.Requires != "":
		return bad("only a pattern requires a literal")
	case d.Pattern == "":
		return d.validateWords(bad, d.Literals)
	}
	re, err := regexp.Compile(d.Pattern)
	switch {
	case err != nil:
		return bad("%v", err)
	case re.MatchString(""):
		return bad("the pattern matches no text at all, so it would match everywhere")
	}
	return d.validateWords(bad, []string{d.Requires})
}

func (d Detector) validateWords(bad func(string, ...any) error, words []string) error {
	for _, w := range words {
		plain := plainLower(w)
		if len(plain) < minLiteral || bytes.IndexByte([]byte(plain), barrier) >= 0 {
			return bad("literal %q: at least %d bytes of UTF-8 are wanted, and no mark", w, minLiteral)
		}
	}
	return nil
}

// find is one look with every detector.
func (f *finder) find() {
	f.scan()
	if f.e.own != nil {
		f.own()
	}
}

var lowered = sync.Pool{New: func() any { return new([]byte) }}

// own tries the user's detectors on the whole text.
func (f *finder) own() {
	o := f.e.own
	buf := lowered.Get().(*[]byte)
	*buf = (*buf)[:0]
	for _, b := range f.t {
		*buf = append(*buf, lower(b))
	}
	var tried [maxOwn]bool
	for _, m := range o.words.FindAllOverlapping(*buf) {
		switch mean := o.meanings[m.PatternID]; {
		case mean.t == off:
		case mean.pattern < 0:
			if !f.inWord(m.Start) && !f.inWord(m.End) {
				f.add(m.Start, m.End, mean.t)
			}
		case !tried[mean.pattern]:
			tried[mean.pattern] = true
			f.pattern(&o.patterns[mean.pattern])
		}
	}
	if cap(*buf) <= maxKept {
		lowered.Put(buf)
	}
}

// inWord says whether a word goes on across i, or what is taken out lies there.
func (f *finder) inWord(i int) bool {
	a, b := f.at(i-1), f.at(i)
	return a == barrier || b == barrier || classes[a]&(cWord|cHigh) != 0 && classes[b]&(cWord|cHigh) != 0
}

// pattern tries a pattern on each stretch between what is taken out.
func (f *finder) pattern(p *pattern) {
	for at := 0; at < len(f.t); {
		n := bytes.IndexByte(f.t[at:], barrier)
		if n < 0 {
			n = len(f.t) - at
		}
		for _, m := range p.re.FindAllSubmatchIndex(f.t[at:at+n], -1) {
			i := 0
			if len(m) > 2 && m[2] >= 0 {
				i = 2
			}
			start, end := at+m[i], at+m[i+1]
			if start < end && f.at(start-1) != barrier && f.at(end) != barrier {
				f.add(start, end, p.t)
			}
		}
		at += n + 1
	}
}
