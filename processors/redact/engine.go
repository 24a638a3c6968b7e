package redact

// Engine finds and replaces by one policy. It is safe for concurrent use.
type Engine struct {
	version uint32
	on      [typeCount]bool
	own     *own     // nil for none
	always  bool     // own detectors may find something in any text
	idle    bool     // the policy looks for nothing
	kept    *Engine  // finds what is only counted; nil for nothing
	allow   *allowed // nil for nothing
	names   []string // of the types, built-in and own
	actions []Action // by type
	marks   []string // "[REDACTED:type]" by type
	key     Key      // of pseudonyms

	ownRules []string // what own detectors look for, in words
}

// Version is the policy's version, 1 or more.
func (e *Engine) Version() uint32 { return e.version }

// TypeName is the name of a type that the engine finds, built-in or own.
func (e *Engine) TypeName(t Type) string {
	if int(t) < len(e.names) {
		return e.names[t]
	}
	return t.String()
}

// Action is what becomes of a type.
func (e *Engine) Action(t Type) Action { return e.actions[t] }

// Drops says whether a text with these spans is to be dropped.
func (e *Engine) Drops(spans []Span) bool {
	for _, s := range spans {
		if e.actions[s.Type] == Drop {
			return true
		}
	}
	return false
}

// Find appends the spans of what text holds to dst: sorted, without overlap, on
// rune boundaries. What an earlier pass left, such as "[REDACTED:email]", is
// never found again, and redacting a text twice changes nothing. Find keeps
// neither slice; it does not allocate where there is nothing to find.
func (e *Engine) Find(dst []Span, text []byte) []Span {
	if e.idle {
		return dst
	}
	base := len(dst)
	c := survey(text)
	if c&(hasTrigger|hasFold) == 0 && !e.always {
		return dst
	}
	if c&(hasFold|hasMark|cStar) == 0 {
		f := finder{e: e, t: text, out: dst, base: base}
		f.find()
		dst = f.out
		if len(dst) == base {
			if e.kept != nil {
				dst = e.kept.Find(dst, text)
			}
			return dst
		}
		// What is taken out may uncover more; settle looks again.
		dst = resolve(dst, base)
	}
	dst = e.settleAll(dst, base, text, c&cStar != 0)
	if e.kept != nil {
		dst = e.kept.settleAll(dst, base, text, c&cStar != 0)
	}
	return dst
}

// settleAll settles with what emphasizes and, if there is any, without, in turn
// until neither finds more.
func (e *Engine) settleAll(dst []Span, base int, text []byte, stars bool) []Span {
	dst, _ = e.settle(dst, base, text, false)
	for range maxRounds {
		var more bool
		if !stars {
			break
		}
		if dst, more = e.settle(dst, base, text, true); !more {
			break
		}
		if dst, more = e.settle(dst, base, text, false); !more {
			break
		}
	}
	return dst
}

// maxRounds bounds how often settle looks again. Two rounds settle any text
// that a person writes; the fuzz target holds that these suffice.
const maxRounds = 12

// settle finds in the folded text, with what is known taken out, until nothing
// new comes: then a second pass over the redacted text finds nothing either.
// With marks, what emphasizes a part of a value is left out of it. It says
// whether it found any.
func (e *Engine) settle(dst []Span, base int, text []byte, marks bool) (_ []Span, found bool) {
	s := scratches.Get().(*scratch)
	defer s.release()
	s.marks = marks
	defer func() { s.marks = false }()
	for range maxRounds {
		s.fold(text, dst[base:])
		f := finder{e: e, t: s.text, out: s.spans[:0]}
		f.find()
		s.spans = resolve(f.out, 0)
		if len(s.spans) == 0 {
			break
		}
		found = true
		for _, sp := range s.spans {
			dst = append(dst, Span{Start: s.start(sp.Start), End: s.end(sp.End), Type: sp.Type})
		}
		dst = resolve(dst, base)
	}
	return dst, found
}

// Redact appends text to dst with each span replaced, and returns it. spans must
// be sorted and free of overlap, as Find gives them. A span becomes at most 53
// bytes, 26 if nothing is hashed: the output is never longer than as many times
// the input. What is to be dropped is replaced as by default.
func (e *Engine) Redact(dst, text []byte, spans []Span) []byte {
	at := 0
	for _, s := range spans {
		dst = append(dst, text[at:s.Start]...)
		dst = e.replace(dst, text[s.Start:s.End], s.Type)
		at = s.End
	}
	return append(dst, text[at:]...)
}
