package processors_test

import (
	"fmt"
	"testing"

	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
)

const benchRows = 4096

// talk is a batch of ordinary chat.
func talk(b *schemas.Batch) {
	lines := []string{
		"anyone know why the wifi drops after suspend?", "try rmmod and modprobe again, worked for me on 22.04",
		"lol", "that is what I said yesterday, but nobody listens", "see the log at line 42: it says permission denied",
		"ok thanks, will try when I am back home", "is there a way to list packages by size", "dpkg-query with a format string, then sort -n",
	}
	for i := range benchRows {
		b.Append(&schemas.Row{
			EventID: int64(i) << 22, Offset: int64(i), Type: schemas.TypeCreated, ChannelID: int64(i % 50), UserID: int64(i % 700),
			Fields: schemas.FieldContent | schemas.FieldChannel | schemas.FieldUser, Content: []byte(lines[i%len(lines)]), UserName: fmt.Append(nil, "user", i%700),
			Extra: []byte(`{"client":"web","lang":"en"}`), Time: 1_700_000_000_000_000,
		})
	}
}

// BenchmarkChain measures what the stages cost an event, beside the bare redaction of before.
func BenchmarkChain(b *testing.B) {
	engine := func(b *testing.B) *processors.Program {
		b.Helper()
		p, err := load(b, "version: 1\n")
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	none := engine(b)
	benchChain(b, "redact-alone", processors.NewRedact(none.Engine()))
	for _, c := range []struct{ name, doc string }{
		{"cel=off", ""},
		{"cel=one-condition", "stages:\n  - {name: a, drop: event.channel_id == 77}\n"},
		{"cel=content", "stages:\n  - {name: a, drop: 'event.content.contains(\"viagra\")'}\n"},
		{"cel=regexp", "stages:\n  - {name: a, drop: 'event.content.matches(\"(?i)via.ra\")'}\n"},
		{"cel=extra", "stages:\n  - {name: a, drop: 'has(event.extra.lang) && event.extra.lang == \"de\"'}\n"},
		{"cel=set", "stages:\n  - {name: a, when: event.channel_id == 7, set: {extra.lang: '\"de\"'}}\n"},
		{"users", "users: pseudonym\nkey: {id: k1, env: KEY}\n"},
		{"fields", "fields: {user_name: redact, $.lang: scan}\n"},
		{"overrides", "overrides:\n  - {channels: [\"7\"], types: {ip: off}}\n"},
	} {
		p, err := load(b, "version: 1\n"+c.doc)
		if err != nil {
			b.Fatal(err)
		}
		chain, err := p.Chain(&processors.Meter{})
		if err != nil {
			b.Fatal(err)
		}
		benchChain(b, c.name, chain)
	}
}

func benchChain(b *testing.B, name string, p interface{ Process(b *schemas.Batch) error }) {
	b.Run(name, func(b *testing.B) {
		fresh, batch := &schemas.Batch{}, &schemas.Batch{}
		talk(fresh)
		b.ReportAllocs()
		for range b.N {
			b.StopTimer()
			batch.Reset()
			for i := range benchRows {
				batch.AppendFrom(fresh, i)
			}
			b.StartTimer()
			if err := p.Process(batch); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/event")
	})
}

// Without expressions a chain allocates nothing for an event with nothing to redact, and a handful a batch.
func TestChainAllocatesNothingAnEvent(t *testing.T) {
	c, _ := chain(t, "version: 1\noverrides:\n  - {channels: [\"7\"], types: {ip: off}}\nfields: {$.lang: scan}\n")
	b := &schemas.Batch{}
	talk(b)
	if n := testing.AllocsPerRun(20, func() {
		if err := c.Process(b); err != nil {
			t.Fatal(err)
		}
	}); n > benchRows*(pooled+0.01)*1.2 {
		t.Errorf("%v allocations for %d events", n, benchRows)
	}
}
