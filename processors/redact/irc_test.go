package redact

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestIRC counts what is found in real chat, if COLDSTREAM_IRC names a folder of
// logs, and logs every detection for a person to look at.
func TestIRC(t *testing.T) {
	root := os.Getenv("COLDSTREAM_IRC")
	if root == "" {
		t.Skip("COLDSTREAM_IRC is not set")
	}
	e := newEngine(t)
	messages := ircMessages(t, root)
	counts := map[Type]int{}
	var spans []Span
	for _, m := range messages {
		spans = e.Find(spans[:0], m)
		for _, s := range spans {
			counts[s.Type]++
			t.Logf("%s\t%q\t%q", s.Type, m[s.Start:s.End], m)
		}
		checkSpans(t, e, m)
	}
	for _, typ := range Types() {
		t.Logf("TOTAL %s %d of %d messages", typ, counts[typ], len(messages))
	}
	if len(messages) == 0 {
		t.Error("no messages")
	}
}

// ircMessages are the texts of all lines with a nick in angle brackets.
func ircMessages(t testing.TB, root string) (messages [][]byte) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, line := range bytes.Split(text, []byte("\n")) {
			open := bytes.IndexByte(line, '<')
			if open < 0 || open > 64 {
				continue
			}
			if end := bytes.IndexByte(line[open:], '>'); end > 0 && end < 40 {
				messages = append(messages, bytes.TrimSpace(line[open+end+1:]))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func split(s string) [][]byte { return bytes.Split([]byte(s), []byte("\n")) }

// TestIRCUnderPolicies holds the promises of every action on real chat.
func TestIRCUnderPolicies(t *testing.T) {
	root := os.Getenv("COLDSTREAM_IRC")
	if root == "" {
		t.Skip("COLDSTREAM_IRC is not set")
	}
	messages := ircMessages(t, root)
	for _, e := range policies(t) {
		for _, m := range messages {
			checkPolicy(t, e, m)
		}
	}
	if len(messages) == 0 {
		t.Error("no messages")
	}
}
