//go:build linux

package redact

import (
	"os"
	"runtime"
	"testing"
)

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
			defer processorTime(b)()
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

// BenchmarkTypes measures real chat with each type off: what a detector costs is
// the difference to all. With none, the scan that they share is what remains.
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
		e.idle = false // the scan of none is what is measured
		b.Run(name, func(b *testing.B) {
			var spans []Span
			b.ReportAllocs()
			defer processorTime(b)()
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

// processorTime reports what a message costs of the thread's own time, which a
// busy machine changes less than the time of the wall.
func processorTime(b *testing.B) (done func()) {
	b.Helper()
	runtime.LockOSThread()
	start := threadTime(b)
	return func() {
		b.Helper()
		b.ReportMetric(float64(threadTime(b)-start)/float64(b.N), "cpu-ns/op")
		runtime.UnlockOSThread()
	}
}
