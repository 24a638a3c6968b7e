// Package jsonpath changes values of a JSON document where they stand, by their path, and leaves every other byte as it
// was.
//
// [Paths] is the type to know. A path is a subset of RFC 9535: $ for the document, .name or ['name'] for a member, [*] or
// .* for every element of an array or member of an object, and ..* at the end for every value below. Parse says what is
// wrong with a path. Replace fails on nothing: a document that is not JSON, or a path that leads nowhere, changes nothing.
package jsonpath

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/coldstream/coldstream/schemas/codec"
)

// node is where some paths stand together.
type node struct {
	names map[string]*node
	every *node // elements and members
	rule  int   // the path that ends here, else -1
	below int   // the path that takes every value below, else -1
}

func newNode() *node { return &node{names: map[string]*node{}, rule: -1, below: -1} }

// Paths are paths by their numbers. They are safe for concurrent use.
type Paths struct {
	root *node
	n    int
}

// Add adds a path; its number is how many there were before it.
func (p *Paths) Add(path string) error {
	steps, err := parse(path)
	if err != nil {
		return fmt.Errorf("path %q: %w", path, err)
	}
	if p.root == nil {
		p.root = newNode()
	}
	at := p.root
	for _, s := range steps {
		switch {
		case s.below:
			at.below = p.n
			p.n++
			return nil
		case s.every:
			if at.every == nil {
				at.every = newNode()
			}
			at = at.every
		default:
			if at.names[s.name] == nil {
				at.names[s.name] = newNode()
			}
			at = at.names[s.name]
		}
	}
	at.rule = p.n
	p.n++
	return nil
}

type step struct {
	name         string
	every, below bool
}

func parse(path string) ([]step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, fmt.Errorf("it begins with $, such as $.author.email")
	}
	var steps []step
	for rest != "" {
		s, after, err := parseStep(rest)
		if err != nil {
			return nil, err
		}
		if s.below && after != "" {
			return nil, fmt.Errorf("nothing may follow ..*")
		}
		steps, rest = append(steps, s), after
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("it names the whole document; $..* is every value of it")
	}
	return steps, nil
}

func parseStep(s string) (step, string, error) {
	switch {
	case strings.HasPrefix(s, "..*"):
		return step{below: true}, s[3:], nil
	case strings.HasPrefix(s, "[*]"):
		return step{every: true}, s[3:], nil
	case strings.HasPrefix(s, ".*"):
		return step{every: true}, s[2:], nil
	case strings.HasPrefix(s, "['"):
		name, rest, ok := strings.Cut(s[2:], "']")
		if !ok || name == "" {
			return step{}, "", fmt.Errorf("['name'] is not closed at %q", s)
		}
		return step{name: name}, rest, nil
	case strings.HasPrefix(s, ".") && len(s) > 1:
		end := 1 + strings.IndexAny(s[1:], ".[")
		if end == 0 {
			end = len(s)
		}
		if end > 1 {
			return step{name: s[1:end]}, s[end:], nil
		}
	}
	return step{}, "", fmt.Errorf("at %q: .name, ['name'], [*], .* or at the end ..* is understood", s)
}

// maxDepth is how deep values are looked for; the codec takes no deeper documents.
const maxDepth = 128

// Replace appends doc to dst with the values at the paths changed. f is given a value's number of path and its text, that
// of a string without its quotes and escapes, and that of a number or literal as written; null, arrays and objects are
// never given whole. It appends the new text and says whether it differs; what differs becomes a string.
func (p *Paths) Replace(dst, doc []byte, f func(dst []byte, path int, text []byte) ([]byte, bool)) []byte {
	if p.root == nil {
		return append(dst, doc...)
	}
	w := walkers.Get().(*walker)
	*w = walker{doc: doc, out: dst, f: f, text: w.text}
	before := len(dst)
	if w.value(p.root, -1, 0) {
		dst = append(w.out, doc[w.copied:]...)
	} else {
		dst = append(w.out[:before], doc...)
	}
	*w = walker{text: w.text}
	walkers.Put(w)
	return dst
}

// walkers keep their scratch memory.
var walkers = sync.Pool{New: func() any { return new(walker) }}

type walker struct {
	doc    []byte
	at     int
	copied int // of doc, up to here, is in out
	out    []byte
	text   []byte // scratch
	f      func(dst []byte, path int, text []byte) ([]byte, bool)
}

func (w *walker) space() {
	for w.at < len(w.doc) && (w.doc[w.at] == ' ' || w.doc[w.at] == '\n' || w.doc[w.at] == '\t' || w.doc[w.at] == '\r') {
		w.at++
	}
}

func (w *walker) peek() byte {
	if w.at < len(w.doc) {
		return w.doc[w.at]
	}
	return 0
}

// value walks over one value; it reports false where the document is none. n may be nil.
func (w *walker) value(n *node, below, depth int) bool {
	w.space()
	rule := below
	if n != nil {
		if n.rule >= 0 {
			rule = n.rule
		}
		if n.below >= 0 && below < 0 {
			below = n.below
		}
	}
	switch c := w.peek(); {
	case depth > maxDepth:
		return false
	case c == '{':
		return w.members(n, below, depth)
	case c == '[':
		return w.elements(n, below, depth)
	case c == '"':
		return w.string(rule)
	default:
		return w.literal(rule)
	}
}

// next is the node of a member or element.
func (n *node) next(name []byte) *node {
	if n == nil {
		return nil
	}
	if name != nil {
		if m := n.names[string(name)]; m != nil {
			return m
		}
	}
	return n.every
}

func (w *walker) members(n *node, below, depth int) bool {
	w.at++
	for w.space(); w.peek() != '}'; w.space() {
		start := w.at
		if !w.skipString() {
			return false
		}
		name := w.unquoted(w.doc[start:w.at])
		next := n.next(name)
		w.space()
		if w.peek() != ':' {
			return false
		}
		w.at++
		if !w.value(next, below, depth+1) {
			return false
		}
		w.space()
		if w.peek() != ',' {
			break
		}
		w.at++
	}
	return w.close('}')
}

func (w *walker) elements(n *node, below, depth int) bool {
	w.at++
	for w.space(); w.peek() != ']'; w.space() {
		if !w.value(n.next(nil), below, depth+1) {
			return false
		}
		w.space()
		if w.peek() != ',' {
			break
		}
		w.at++
	}
	return w.close(']')
}

func (w *walker) close(c byte) bool {
	if w.peek() != c {
		return false
	}
	w.at++
	return true
}

func (w *walker) skipString() bool {
	if w.peek() != '"' {
		return false
	}
	for w.at++; w.at < len(w.doc); w.at++ {
		switch w.doc[w.at] {
		case '\\':
			w.at++
		case '"':
			w.at++
			return true
		}
	}
	return false
}

func (w *walker) string(rule int) bool {
	start := w.at
	if !w.skipString() {
		return false
	}
	if rule >= 0 {
		w.offer(rule, start, w.unquoted(w.doc[start:w.at]))
	}
	return true
}

func (w *walker) literal(rule int) bool {
	start := w.at
	for w.at < len(w.doc) && !bytes.ContainsRune([]byte(" \n\t\r,]}"), rune(w.doc[w.at])) {
		w.at++
	}
	if w.at == start {
		return false
	}
	if text := w.doc[start:w.at]; rule >= 0 && text[0] != 'n' {
		w.offer(rule, start, text)
	}
	return true
}

// offer gives f the value that began at start.
func (w *walker) offer(rule, start int, text []byte) {
	var changed bool
	w.text, changed = w.f(w.text[:0], rule, text)
	if !changed {
		return
	}
	w.out = append(w.out, w.doc[w.copied:start]...)
	w.out = codec.AppendString(w.out, w.text)
	w.copied = w.at
}

// unquoted is the text of a quoted string; one without escapes stays where it is.
func (w *walker) unquoted(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return inner
	}
	return []byte(s)
}
