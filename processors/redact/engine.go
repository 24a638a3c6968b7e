package redact

import "fmt"

// Policy says what an Engine looks for and what it puts in place. The zero
// Policy looks for every type.
type Policy struct {
	// Version goes into file footers and beside every value that went through
	// the policy; a later policy has a higher one. 0 stands for version 1.
	Version uint32
	// Off are the types not to look for.
	Off []Type
}

// Engine finds and replaces by one policy. It is safe for concurrent use.
type Engine struct {
	version uint32
	on      [typeCount]bool
	marks   [typeCount]string // what stands in place of each type
}

// New makes an engine.
func New(p Policy) (*Engine, error) {
	e := &Engine{version: max(p.Version, 1)}
	for t := range typeCount {
		e.on[t] = true
		e.marks[t] = markOpen + t.String() + "]"
	}
	for _, t := range p.Off {
		if t >= typeCount {
			return nil, fmt.Errorf("redact: policy turns off unknown type %d", uint8(t))
		}
		e.on[t] = false
	}
	return e, nil
}

// Version is the policy's version, 1 or more.
func (e *Engine) Version() uint32 { return e.version }

// Find appends the spans of what text holds to dst: sorted, without overlap, on
// rune boundaries. What an earlier pass left, such as "[REDACTED:email]", is
// never found again, and redacting a text twice changes nothing. Find keeps
// neither slice; it does not allocate where there is nothing to find.
func (e *Engine) Find(dst []Span, text []byte) []Span {
	base := len(dst)
	c := survey(text)
	if c&(hasTrigger|hasFold) == 0 {
		return dst
	}
	if c&(hasFold|hasMark) == 0 {
		f := finder{e: e, t: text, out: dst, base: base}
		f.scan()
		dst = f.out
		if len(dst) == base {
			return dst
		}
		// What is taken out may uncover more; settle looks again.
		dst = resolve(dst, base)
	}
	return e.settle(dst, base, text)
}

// maxRounds bounds how often settle looks again. Two rounds settle any text
// that a person writes; the fuzz target holds that these suffice.
const maxRounds = 12

// settle finds in the folded text, with what is known taken out, until nothing
// new comes: then a second pass over the redacted text finds nothing either.
func (e *Engine) settle(dst []Span, base int, text []byte) []Span {
	s := scratches.Get().(*scratch)
	defer s.release()
	for range maxRounds {
		s.fold(text, dst[base:])
		f := finder{e: e, t: s.text, out: s.spans[:0]}
		f.scan()
		s.spans = resolve(f.out, 0)
		if len(s.spans) == 0 {
			break
		}
		for _, sp := range s.spans {
			dst = append(dst, Span{Start: s.start(sp.Start), End: s.end(sp.End), Type: sp.Type})
		}
		dst = resolve(dst, base)
	}
	return dst
}

// Redact appends text to dst with each span replaced, and returns it. spans must
// be sorted and free of overlap, as Find gives them. A span of n bytes becomes
// at most 26 bytes, so the output is never longer than 26 times the input.
func (e *Engine) Redact(dst, text []byte, spans []Span) []byte {
	at := 0
	for _, s := range spans {
		dst = append(dst, text[at:s.Start]...)
		dst = e.replace(dst, text[s.Start:s.End], s.Type)
		at = s.End
	}
	return append(dst, text[at:]...)
}

// replace appends what stands in place of a value. Further actions of a policy
// (mask, pseudonym, hash) belong here; value is what they would work on.
func (e *Engine) replace(dst, _ []byte, t Type) []byte {
	return append(dst, e.marks[t]...)
}
