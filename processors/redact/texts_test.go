package redact

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTexts holds the files of testdata/texts: a text a line, each value that
// has to be found between «type| and »; nothing else may be. A line that begins
// with "# " says what follows, and \n stands for a line feed.
func TestTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/texts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	e := newEngine(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(content), "\n") {
				if strings.HasPrefix(line, "# ") || line == "" {
					continue
				}
				text, want := marked(t, strings.ReplaceAll(line, `\n`, "\n"))
				if got := e.Find(nil, text); mark(e, text, got) != mark(e, text, want) {
					t.Errorf("%s:%d\n got %s\nwant %s", file, i+1, mark(e, text, got), mark(e, text, want))
				}
			}
		})
	}
}

// marked takes the marks out of a line and gives the spans they say.
func marked(t testing.TB, line string) (text []byte, spans []Span) {
	t.Helper()
	for {
		before, rest, found := strings.Cut(line, "«")
		text = append(text, before...)
		if !found {
			return text, spans
		}
		value, after, found := strings.Cut(rest, "»")
		name, value, named := strings.Cut(value, "|")
		typ, err := ParseType(name)
		if !found || !named || err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		spans = append(spans, Span{len(text), len(text) + len(value), typ})
		text, line = append(text, value...), after
	}
}

// mark writes spans into a text, for a person to read.
func mark(e *Engine, text []byte, spans []Span) string {
	var b bytes.Buffer
	at := 0
	for _, s := range spans {
		fmt.Fprintf(&b, "%s«%s|%s»", text[at:s.Start], e.TypeName(s.Type), text[s.Start:s.End])
		at = s.End
	}
	b.Write(text[at:])
	return b.String()
}
