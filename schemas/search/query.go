package search

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LinkToken is the word that a text with a link is indexed under beside its own. No text has it: a colon separates words.
const LinkToken = "has:link"

// HasLink reports whether a text holds a link, as has=link means it.
func HasLink(text []byte) bool {
	for {
		i := bytes.Index(text, []byte("://"))
		if i < 0 {
			return false
		}
		if hasScheme(text[:i]) && i+3 < len(text) && text[i+3] > ' ' {
			return true
		}
		text = text[i+3:]
	}
}

func hasScheme(before []byte) bool {
	for _, scheme := range []string{"http", "https"} {
		if n := len(before) - len(scheme); n >= 0 && strings.EqualFold(string(before[n:]), scheme) {
			return true
		}
	}
	return false
}

// AppendIndexed appends what is indexed of a message's content: its words, and LinkToken.
func AppendIndexed(dst, content []byte) []byte {
	start := len(dst)
	dst = Append(dst, content)
	if HasLink(content) {
		if len(dst) == start {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, LinkToken...), ' ')
	}
	return dst
}

// Query is what a person asked for. A text is found if it has all tokens, and each phrase as it stands.
type Query struct {
	Tokens  []string // words of the index
	Phrases []string // parts of the normalised text, a space before and after
}

// Empty reports a query without a word: it finds nothing.
func (q Query) Empty() bool { return len(q.Tokens) == 0 }

// Parse reads what a person typed: words, all of which a text must have, and "phrases" in quotes. What is written without
// a space, like example.com or a sentence in Chinese, is a phrase too. A quote that is not closed does not count.
func Parse(typed string) Query {
	var q Query
	pieces := strings.Split(quotes.Replace(typed), `"`)
	for i, piece := range pieces {
		if i%2 == 1 && i < len(pieces)-1 {
			q.add(piece)
			continue
		}
		for _, word := range strings.Fields(piece) {
			q.add(word)
		}
	}
	return q
}

var quotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`)

// add adds a text that must be found as it stands.
func (q *Query) add(text string) {
	normal := string(Append(nil, []byte(text)))
	tokens := strings.Fields(normal)
	if len(tokens) > 1 {
		q.Phrases = append(q.Phrases, normal)
	}
	for _, t := range tokens {
		if !implied(t, tokens) && !slices.Contains(q.Tokens, t) {
			q.Tokens = append(q.Tokens, t)
		}
	}
}

// implied reports a character of a run whose neighbour is asked for together with it.
func implied(token string, tokens []string) bool {
	if r, _ := utf8.DecodeRuneInString(token); !unicode.Is(spaceless, r) {
		return false
	}
	return slices.ContainsFunc(tokens, func(t string) bool {
		return len(t) > len(token) && (strings.HasPrefix(t, token) || strings.HasSuffix(t, token))
	})
}
