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

// BenchmarkChat measures one message at a time, over the same real chat if it
// is there and over made-up chat else.
func BenchmarkChat(b *testing.B) {
	e := newEngine(b)
	sets := map[string][][]byte{
		"text=clean": split("hello there\nany idea why my sound does not work?\nyeah, try restarting it: sudo /etc/init.d/foo restart\nok thanks, that did it :)\nalice: which version are you on? 5.04 or 4.10\nhttp://example.com/how-to/fix-it.html has a guide\nlol\nI think it's on line 42 of the config, but not sure about that one"),
		"text=dense": split("mail bob@example.com or call\nmy card is 4111 1111 1111 1111 ok\nip 203.0.113.9 and fe80::1%eth0\npassword=hunter2!x\nDE89 3704 0044 0532 0130 00\nssn 078-05-1121"),
	}
	if root := os.Getenv("COLDSTREAM_IRC"); root != "" {
		sets["text=irc"] = ircMessages(b, root)
	}
	for _, name := range []string{"text=clean", "text=dense", "text=irc"} {
		messages := sets[name]
		if len(messages) == 0 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			var spans []Span
			var out []byte
			size := 0
			b.ReportAllocs()
			for i := range b.N {
				m := messages[i%len(messages)]
				size += len(m)
				if spans = e.Find(spans[:0], m); len(spans) > 0 {
					out = e.Redact(out[:0], m, spans)
				}
			}
			b.SetBytes(int64(size / b.N))
		})
	}
}

// BenchmarkTypes measures real chat with each type off, and with it alone: what
// a detector costs is the difference to all, or to none.
func BenchmarkTypes(b *testing.B) {
	root := os.Getenv("COLDSTREAM_IRC")
	if root == "" {
		b.Skip("COLDSTREAM_IRC is not set")
	}
	messages := ircMessages(b, root)
	run := func(name string, off []Type) {
		e, err := New(Policy{Off: off})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			var spans []Span
			b.ReportAllocs()
			for i := range b.N {
				spans = e.Find(spans[:0], messages[i%len(messages)])
			}
		})
	}
	run("on=all", nil)
	run("on=none", Types())
	for _, typ := range Types() {
		run("off="+typ.String(), []Type{typ})
	}
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
