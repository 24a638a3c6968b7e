package generator_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

var start = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func planned(n int64) generator.Options {
	o := generator.Defaults()
	o.Events, o.Start, o.Span = n, start, 6*time.Hour
	return o
}

type record struct {
	value, key []byte
	kind       generator.Kind
}

func all(t testing.TB, o generator.Options) ([]record, generator.Stats) {
	t.Helper()
	g, err := generator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var rs []record
	for {
		value, key, kind := g.Next(nil)
		if kind == generator.End {
			return rs, g.Stats()
		}
		rs = append(rs, record{value, key, kind})
	}
}

func TestSameSeedAndStartSameBytes(t *testing.T) {
	a, _ := all(t, planned(20_000))
	b, _ := all(t, planned(20_000))
	other := planned(20_000)
	other.Seed = 2
	c, _ := all(t, other)
	if len(a) != len(b) {
		t.Fatalf("%d and %d records", len(a), len(b))
	}
	same := 0
	for i := range a {
		if !bytes.Equal(a[i].value, b[i].value) || !bytes.Equal(a[i].key, b[i].key) || a[i].kind != b[i].kind {
			t.Fatalf("record %d differs:\n%s\n%s", i, a[i].value, b[i].value)
		}
		if i < len(c) && bytes.Equal(a[i].value, c[i].value) {
			same++
		}
	}
	if same > len(a)/100 {
		t.Errorf("another seed gives %d of the same records", same)
	}
}

func TestCountsAreWhatWasAskedFor(t *testing.T) {
	const n = 100_000
	rs, s := all(t, planned(n))
	want := generator.Stats{Records: n + 1000 + 100, Events: n, Repeats: 1000, Dead: 100, Created: n - 4000, Edited: 3000, Deleted: 1000, Late: 1000}
	if s != want || int64(len(rs)) != s.Records {
		t.Errorf("%d records, %+v, want %+v", len(rs), s, want)
	}
}

// TestEveryRecordIsWhatItsKindSays decodes everything as the pipeline does.
func TestEveryRecordIsWhatItsKindSays(t *testing.T) {
	o := planned(60_000)
	o.Bad = 0.01
	rs, _ := all(t, o)
	decoder, b := codec.JSON{Epoch: schemas.DiscordEpoch}, new(schemas.Batch)
	events, seen := map[int64]bool{}, map[string]bool{}
	created, deleted := map[int64]bool{}, map[int64]bool{}
	late, last := 0, int64(-1<<62)
	first, end := start.UnixMicro(), start.Add(6*time.Hour).UnixMicro()
	for i, r := range rs {
		if bytes.IndexByte(r.value, '\n') >= 0 || len(r.value) == 0 {
			t.Fatalf("not a line: %q", r.value)
		}
		b.Reset()
		err := decoder.Decode(b, r.value, codec.Origin{Time: end})
		if r.kind == generator.Bad {
			var refusal *schemas.Refusal
			if !errors.As(err, &refusal) {
				t.Errorf("%.300q is not refused: %v", r.value, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", r.value, err)
		}
		e, id := b.Event(0), b.EventID[0]
		if string(r.key) != e.ChannelID || b.NeedsResolution(0) || b.EventHash[0] != 0 || b.MessageHash[0] != 0 {
			t.Fatalf("key %s of %s", r.key, r.value)
		}
		if r.kind == generator.Repeat {
			if !seen[string(r.value)] {
				t.Fatalf("record %d repeats nothing", i)
			}
			continue
		}
		if events[id] {
			t.Fatalf("event %d stands twice", id)
		}
		events[id], seen[string(r.value)] = true, true
		if ms := schemas.DiscordEpoch.Millis(id); ms != b.Time[0]/1000 {
			t.Fatalf("id of %d ms, time of %d: %s", ms, b.Time[0]/1000, r.value)
		}
		target := b.MessageID[0]
		switch r.kind {
		case generator.Created:
			if b.Type[0] != schemas.TypeCreated || created[target] {
				t.Fatalf("message %d is made twice", target)
			}
			created[target] = true
			if id < last {
				late++
				continue
			}
		case generator.Edited, generator.Deleted:
			if !created[target] || deleted[target] {
				t.Fatalf("%s changes what is not there", r.value)
			}
			deleted[target] = r.kind == generator.Deleted
		}
		if id <= last || b.Time[0] < first || b.Time[0] >= end+1e6 {
			t.Fatalf("event %d after %d, at %d", id, last, b.Time[0])
		}
		last = id
	}
	if late < 590 || late > 610 {
		t.Errorf("%d late events of 60,000", late)
	}
	if spread := last - schemas.DiscordEpoch.ID(start.UnixMilli(), 0); time.Duration(spread>>22)*time.Millisecond < 5*time.Hour+50*time.Minute {
		t.Errorf("the span is not filled: it ends after %v", time.Duration(spread>>22)*time.Millisecond)
	}
}

func TestEventsLookLikeChat(t *testing.T) {
	rs, _ := all(t, planned(50_000))
	bytesOf, perChannel := 0, map[string]int{}
	found := map[string]int{}
	for _, r := range rs {
		bytesOf += len(r.value)
		perChannel[string(r.key)]++
		for _, want := range []string{"@example.com", "https://", "<@", "```", "👍", "192.0.2.", "ghp_", "eyJ", "PRIVATE KEY", "спасибо", "ありがとう", "SSN", `"attachments"`, `"reply_to"`} {
			if bytes.Contains(r.value, []byte(want)) {
				found[want]++
			}
		}
	}
	if mean := bytesOf / len(rs); mean < 310 || mean > 330 {
		t.Errorf("an event has %d bytes on average, want about 320", mean)
	}
	top := 0
	for _, n := range perChannel {
		top = max(top, n)
	}
	if len(perChannel) < 190 || top < len(rs)/20 {
		t.Errorf("%d channels, the busiest with %d of %d events", len(perChannel), top, len(rs))
	}
	if len(found) < 14 {
		t.Errorf("found only %v", found)
	}
}

func TestLiveEventsHaveTheClocksTime(t *testing.T) {
	o := generator.Defaults()
	o.Events, o.Duplicates, o.Bad, o.Late, o.Node = 10_000, 0, 0, 0, 77
	now := start
	o.Now = func() time.Time { now = now.Add(time.Microsecond); return now }
	rs, _ := all(t, o)
	decoder, b := codec.JSON{Epoch: schemas.DiscordEpoch}, new(schemas.Batch)
	for i, r := range rs {
		if err := decoder.Decode(b, r.value, codec.Origin{Time: -1}); err != nil {
			t.Fatal(err)
		}
		if i > 0 && b.EventID[i] <= b.EventID[i-1] {
			t.Fatalf("id %d after %d", b.EventID[i], b.EventID[i-1])
		}
	}
	p := schemas.DiscordEpoch.Parts(b.EventID[9999])
	if ahead := p.Time.Sub(now); ahead > 100*time.Millisecond || ahead < -100*time.Millisecond || p.Worker != 2 || p.Process != 13 {
		t.Errorf("%+v, the clock says %v", p, now)
	}
}

func TestOptionsReportEveryMistake(t *testing.T) {
	o := generator.Options{Events: -1, Edits: 2, Channels: -1, Node: 1024, Span: time.Hour}
	_, err := generator.New(o)
	for _, want := range []string{"events -1", "edits 2", "channels -1", "node 1024", "needs a start"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	o := generator.Defaults()
	o.Events, o.Start = 0, start
	g, err := generator.New(o)
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	total := 0
	b.ReportAllocs()
	for b.Loop() {
		buf, _, _ = g.Next(buf[:0])
		total += len(buf)
	}
	b.ReportMetric(float64(total)/float64(b.N), "bytes/event")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
