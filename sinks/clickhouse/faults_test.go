package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// fault is a transport that does something else first to the requests that insert into a table.
type fault struct {
	mu    sync.Mutex
	queue []func(r *http.Request, next http.RoundTripper) (*http.Response, error)
	down  bool
	seen  int
}

func (f *fault) RoundTrip(r *http.Request) (*http.Response, error) {
	next := http.DefaultTransport
	f.mu.Lock()
	f.seen++
	down := f.down
	var act func(*http.Request, http.RoundTripper) (*http.Response, error)
	if len(f.queue) > 0 && strings.Contains(r.URL.Query().Get("query"), "INTO state") {
		act, f.queue = f.queue[0], f.queue[1:]
	}
	f.mu.Unlock()
	switch {
	case down:
		return nil, errors.New("connection refused")
	case act != nil:
		return act(r, next)
	default:
		return next.RoundTrip(r)
	}
}

func (f *fault) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fault) attempts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func answer(status int, code, text string) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		w := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}
		if code != "" {
			w.Header.Set("X-ClickHouse-Exception-Code", code)
		}
		return w, nil
	}
}

// appliedThenReset lets the server insert and loses its answer.
func appliedThenReset(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	w, err := next.RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, w.Body)
		w.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return nil, errors.New("connection reset by peer")
}

// never holds the request until the sink gives up on it.
func never(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func docs(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"event_id":"e-%d","channel_id":"5","user_id":"9","content":"text %d","timestamp":%d}`, i, i, 1_700_000_000_000+i)
	}
	return out
}

func TestABlockIsRetriedAsItWasUntilAcknowledged(t *testing.T) {
	for name, act := range map[string]func(*http.Request, http.RoundTripper) (*http.Response, error){
		"500 without a word":              answer(500, "", "upstream went away"),
		"too many parts":                  answer(500, "252", "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)"),
		"200 with an exception":           answer(200, "", "\r\n__exception__\r\nabc\r\nCode: 241. DB::Exception: memory limit exceeded\r\n"),
		"200 with an exception in a line": answer(200, "", "Code: 241. DB::Exception: memory limit exceeded"),
		"reset after it was applied":      appliedThenReset,
		"no answer":                       never,
		"an answer that is late":          appliedTooLate,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fault{queue: []func(*http.Request, http.RoundTripper) (*http.Response, error){act, act}}
			h := newHot(t, f, func(c *clickhouse.Config) { c.Timeout = 300 * time.Millisecond })
			h.write(docs(5)...)
			h.flush()
			if n := len(h.rows("messages")); n != 5 {
				t.Fatalf("%d messages", n)
			}
			if s := h.sink.Stats(); s.Retries < 2 || s.Refused != 0 {
				t.Fatalf("%+v", s)
			}
			if rows, err := h.client.Query(t.Context(), "SELECT count() FROM state"); err != nil || string(rows) != "5\n" {
				t.Fatalf("%s rows before merging, %v: the token did not keep the second insert out", rows, err)
			}
		})
	}
}

func TestWhatOnlyAnOperatorCanMendStopsTheSink(t *testing.T) {
	for _, c := range []struct{ code, text, word string }{
		{"516", "no", "password"},
		{"60", "no", "migrate"},
		{"243", "no", "disk is full"},
		{"497", "no", "right"},
		{"75", "Cannot write to file: errno: 28, strerror: No space left on device", "disk is full"},
	} {
		f := &fault{queue: []func(*http.Request, http.RoundTripper) (*http.Response, error){
			answer(500, c.code, "Code: "+c.code+". DB::Exception: "+c.text+"."),
		}}
		h := newHot(t, f, nil)
		h.write(docs(1)...)
		testkit.Eventually(t, 10*time.Second, func() error {
			err := h.sink.Tick(t.Context(), time.Now().Add(time.Hour))
			if !errors.Is(err, clickhouse.ErrStop) || !strings.Contains(err.Error(), c.word) {
				return fmt.Errorf("code %s: %v", c.code, err)
			}
			return nil
		})
		if h.committed != 0 {
			t.Fatalf("offset %d was committed", h.committed)
		}
	}
}

func TestOnlyTheRefusedRowsBecomeDeadLetters(t *testing.T) {
	h := newHot(t, nil, nil)
	h.exec("ALTER TABLE state ADD CONSTRAINT clean CHECK tupleElement(content, 'text') NOT IN ('text 3', 'text 11')")
	h.write(docs(20)...)
	h.flush()
	if n := len(h.rows("messages")); n != 18 {
		t.Fatalf("%d messages", n)
	}
	if len(h.letters) != 2 || h.letters[0].ID() != "events:0:3" || h.letters[1].ID() != "events:0:11" || h.letters[0].Stage != "insert" ||
		!strings.Contains(h.letters[0].Error, "clean") {
		t.Fatalf("%+v", h.letters)
	}
}

// An hour without ClickHouse: reading stops, nothing is committed, nothing grows; then everything arrives.
func TestClickHouseGoesAwayAndComesBack(t *testing.T) {
	f := &fault{down: true}
	h := newHot(t, f, func(c *clickhouse.Config) { c.MaxRows, c.MaxBlocks = 10, 3 })
	written := 0
	for all := docs(100); !h.sink.Pressure(); written += 5 {
		if written == len(all) {
			t.Fatal("no pressure")
		}
		h.write(all[written : written+5]...)
	}
	if written != 30 {
		t.Fatalf("pressure after %d rows of blocks of 10, 3 at most", written)
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if err := h.sink.Tick(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if f.attempts() < 10 {
			return errBehind
		}
		return nil
	})
	if h.committed != 0 || !h.sink.Pressure() {
		t.Fatalf("committed %d, pressure %v", h.committed, h.sink.Pressure())
	}
	f.setDown(false)
	h.flush()
	if n := len(h.rows("messages")); n != written {
		t.Fatalf("%d messages", n)
	}
}

func TestARevokeWithoutClickHouseEndsInTimeAndCommitsNothing(t *testing.T) {
	h := newHot(t, &fault{down: true}, nil)
	h.write(docs(3)...)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.sink.Revoke(ctx, []schemas.Source{h.source}); err != nil {
		t.Fatal(err)
	}
	if err := h.sink.Tick(t.Context(), time.Now().Add(time.Hour)); err != nil || h.committed != 0 {
		t.Fatalf("committed %d, %v", h.committed, err)
	}
}
