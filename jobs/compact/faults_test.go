package compact_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// tries compacts the first day with faults in the way.
func (w *world) tries(ctx context.Context, f http.RoundTripper, change ...func(*compact.Config)) (compact.Result, error) {
	w.t.Helper()
	plans := testkit.Must[[]compact.Plan](w.t)(w.compactor().All(w.t.Context(), compact.Range{}))
	c := w.compactor(append(change, func(c *compact.Config) { c.Table = w.again(f) })...)
	return c.Day(ctx, &plans[0])
}

func (w *world) five() {
	all := every(time.Minute, 50)
	for i := 0; i < len(all); i += 10 {
		w.archive(1, all[i:i+10]...)
	}
}

// Whatever fails on the way, the table stays as it was, and the next try succeeds.
func TestFailuresLeaveTheTable(t *testing.T) {
	for name, c := range map[string]struct {
		fault *fault
		want  error
	}{
		"an input cannot be read":       {fault: &fault{method: http.MethodGet, path: "/cp-003", do: refuse(500)}},
		"the store is full":             {fault: &fault{method: http.MethodPut, path: "/compact-", do: refuse(507)}},
		"the listing cannot be written": {fault: &fault{method: http.MethodPut, path: "/compactions/", do: refuse(503)}},
		"what was written is not there": {fault: &fault{method: http.MethodHead, path: "/compact-", do: refuse(404)}, want: lake.ErrMissingFile},
		"the commit is denied":          {fault: &fault{method: http.MethodPut, path: ".metadata.json", do: refuse(403)}, want: objects.ErrDenied},
		"what is read back differs":     {fault: &fault{method: http.MethodGet, path: "/compact-", do: flipped}, want: compact.ErrDiffers},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.five()
			before := w.read()
			r, err := w.tries(t.Context(), c.fault)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v; want %v", r, err, c.want)
			}
			if c.fault.hit == 0 {
				t.Fatal("the fault was not met")
			}
			if after := w.read(); !slices.Equal(before.files, after.files) {
				t.Errorf("the table has %v", after.files)
			}
			if got := w.compactAll(); len(got) != 1 || got[0].Rows != 50 {
				t.Errorf("next try: %+v", got)
			}
			if after := w.read(); !maps.Equal(before.rows, after.rows) {
				t.Error("the rows differ")
			}
		})
	}
}

// flipped gives the object with one byte changed.
func flipped(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if len(body) > 100 {
		body[100] ^= 1
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// An input that vanished from the store is damage: it is said, not skipped over.
func TestAnInputThatVanished(t *testing.T) {
	w := newWorld(t)
	w.five()
	if err := w.store.Remove(t.Context(), w.table.Key(w.live()[2].Path)); err != nil {
		t.Fatal(err)
	}
	before := w.live()
	_, err := w.tries(t.Context(), nil)
	if !errors.Is(err, compact.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if len(w.live()) != len(before) {
		t.Error("the table changed")
	}
}

// A record that is stored twice is never made to look right.
func TestARecordStoredTwiceIsNotHidden(t *testing.T) {
	w := newWorld(t)
	w.archive(1, every(time.Minute, 1)...)
	w.next[0] = 0
	once, twice := w.upload(w.table, "once", 1, every(time.Minute, 1)), w.upload(w.table, "twice", 1, every(time.Minute, 1))
	testkit.Must[*lake.Version](t)(w.table.Swap(t.Context(), lake.Swap{Remove: w.live(), Add: []lake.DataFile{once, twice}}))
	_, err := w.tries(t.Context(), nil)
	if !errors.Is(err, compact.ErrDamaged) || !strings.Contains(err.Error(), "stored twice") {
		t.Errorf("got %v", err)
	}
}

// While the day is worked on, the committer adds to it, or another compaction replaces it.
func TestBesideOthers(t *testing.T) {
	t.Run("committer", func(t *testing.T) {
		w := newWorld(t)
		w.five()
		f := &fault{method: http.MethodPut, path: ".metadata.json", times: 1, do: during(func(context.Context) {
			w.archive(1, row{at: day.Add(time.Hour), n: 7777})
		})}
		r, err := w.tries(t.Context(), f)
		if err != nil || r.Abandoned || f.hit != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if s := w.read(); len(s.files) != 2 || len(s.rows) != 51 {
			t.Errorf("%d rows in %v", len(s.rows), s.files)
		}
	})
	t.Run("compactor", func(t *testing.T) {
		w := newWorld(t)
		w.five()
		f := &fault{method: http.MethodPut, path: "/compactions/", times: 1, do: during(func(context.Context) { w.compactAll() })}
		r, err := w.tries(t.Context(), f)
		if err != nil || !r.Abandoned || f.hit != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if s := w.read(); len(s.files) != 1 || len(s.rows) != 50 {
			t.Errorf("%d rows in %v", len(s.rows), s.files)
		}
	})
}

// Interrupted at any request, nothing is lost.
func TestInterrupted(t *testing.T) {
	for _, at := range []struct{ method, path string }{
		{http.MethodGet, "/cp-004"}, {http.MethodPut, "/compact-"}, {http.MethodPut, "/compactions/"}, {http.MethodPut, "-m0.avro"}, {http.MethodPut, ".metadata.json"},
	} {
		t.Run(at.method+at.path, func(t *testing.T) {
			w := newWorld(t)
			w.five()
			before := w.read()
			ctx, cancel := context.WithCancel(t.Context())
			f := &fault{method: at.method, path: at.path, do: during(func(context.Context) { cancel() })}
			_, err := w.tries(ctx, f)
			if f.hit == 0 {
				t.Fatal("never got there")
			}
			after := w.read()
			if !maps.Equal(before.rows, after.rows) {
				t.Error("the rows differ")
			}
			if err == nil && len(after.files) != 1 || err != nil && len(after.files) != 5 {
				t.Errorf("error %v and %d files", err, len(after.files))
			}
		})
	}
}

// Files that lay about too long are not swapped in: sweep may have taken them.
func TestTooOldToSwap(t *testing.T) {
	w := newWorld(t)
	w.five()
	clock := now
	f := &fault{method: http.MethodPut, path: "/compactions/", do: during(func(context.Context) { clock = clock.Add(7 * time.Hour) })}
	_, err := w.tries(t.Context(), f, func(c *compact.Config) { c.Now = func() time.Time { return clock } })
	if !errors.Is(err, compact.ErrOld) {
		t.Errorf("got %v", err)
	}
	if n := len(w.live()); n != 5 {
		t.Errorf("%d files", n)
	}
}

// What a schedule does: a day that is still written to is left alone, late files wait until there are enough, and
// are merged with one another until they are an eighth of the day.
func TestDue(t *testing.T) {
	w := newWorld(t)
	real := time.Now()
	c := w.compactor(func(c *compact.Config) {
		c.After, c.LateFiles = time.Hour, 4
		c.Now = func() time.Time { return real }
	})
	due := func(want string) []compact.Plan {
		t.Helper()
		plans := testkit.Must[[]compact.Plan](t)(c.Due(t.Context()))
		text := ""
		for _, p := range plans {
			text += p.Day.String()
			if p.Late {
				text += " late"
			}
			text += "; "
		}
		if text != want {
			t.Errorf("due: %q, want %q", text, want)
		}
		return plans
	}
	doAll := func(plans []compact.Plan) {
		t.Helper()
		for _, p := range plans {
			testkit.Must[compact.Result](t)(c.Day(t.Context(), &p))
		}
	}
	all := every(10*time.Second, 3000)
	for i := 0; i < len(all); i += 500 {
		w.archive(1, all[i:i+500]...)
	}
	today := row{at: real.AddDate(0, 0, 1), n: 1} // and it is not over when the test ends
	w.archive(1, today)
	w.archive(1, today)
	due("") // the files were added just now
	real = real.Add(2 * time.Hour)
	doAll(due("2024-10-04; "))
	due("")
	late := func(n, from int) {
		for i := range n {
			w.archive(1, row{at: day.Add(time.Duration(from+i) * time.Hour), n: 50_000 + from + i})
		}
		real = real.Add(2 * time.Hour)
	}
	late(3, 0)
	due("")
	late(1, 3)
	doAll(due("2024-10-04 late; "))
	due("")
	late(3, 4)
	due("")
	if got := w.read(); len(got.rows) != 3009 {
		t.Errorf("%d rows", len(got.rows))
	}
	for i := range 4 {
		w.archive(1, every(7*time.Second, 300)[70*i:70*i+70]...)
	}
	real = real.Add(2 * time.Hour)
	doAll(due("2024-10-04; "))
	if got := w.read(); len(got.files) != 2+1 {
		t.Errorf("files: %v", got.files)
	}
	due("")
}
