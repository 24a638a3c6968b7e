package chhttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
)

func serve(t *testing.T, answer http.HandlerFunc) *chhttp.Client {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	c, err := chhttp.New(chhttp.Config{Addr: s.URL, User: "u", Password: "p", Database: "d", Settings: map[string]string{"max_threads": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func TestInsertSendsDataAndSettings(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "a\x00b" || q.Get("query") != "INSERT" || q.Get("database") != "d" || q.Get("token") != "t" ||
			q.Get("max_threads") != "1" || r.Header.Get("X-ClickHouse-User") != "u" || r.Header.Get("X-ClickHouse-Key") != "p" {
			t.Errorf("%v %q %v %v", q, body, r.Header, err)
		}
	})
	if err := c.Insert(t.Context(), "INSERT", []byte("a\x00b"), map[string]string{"token": "t"}); err != nil {
		t.Fatal(err)
	}
}

func TestExceptionsHaveTheirCode(t *testing.T) {
	for name, a := range map[string]struct {
		status       int
		header, body string
		code         int
	}{
		"in the text":       {500, "", "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)", 252},
		"in the header":     {500, "516", "no", 516},
		"after a good head": {200, "", "1\n2\n\r\n__exception__\r\nabcdef\r\nCode: 241. DB::Exception: memory\r\n40 abcdef\r\n__exception__\r\n", 241},
		"in an old way":     {200, "", "1\nCode: 159. DB::Exception: timeout", 159},
		"of a proxy":        {502, "", "<html>", 0},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if a.header != "" {
				w.Header().Set("X-ClickHouse-Exception-Code", a.header)
			}
			w.WriteHeader(a.status)
			_, _ = io.WriteString(w, a.body)
		})
		for _, err := range []error{c.Exec(t.Context(), "SELECT 1"), c.Insert(t.Context(), "INSERT", nil, nil)} {
			var e *chhttp.Exception
			if !errors.As(err, &e) || e.Code != a.code {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestAUsersTextIsNoException(t *testing.T) {
	type row struct {
		Content string `json:"content"`
		ID      uint64 `json:"id"`
	}
	const line = `{"content":"__exception__ Code: 1. DB::Exception: \r\n__exception__\r\nCode: 2. DB::","id":18446744073709551615}` + "\n"
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("output_format_json_quote_64bit_integers") != "0" {
			t.Error("numbers would come as texts")
		}
		_, _ = io.WriteString(w, line)
	})
	rows, err := chhttp.Select[row](t.Context(), c, "SELECT")
	if err != nil || len(rows) != 1 || rows[0].ID != 1<<64-1 || !strings.HasPrefix(rows[0].Content, "__exception__") {
		t.Fatalf("%+v %v", rows, err)
	}
}

func TestErrorsOfTheConnectionDoNotShowTheStatement(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := c.Insert(t.Context(), "INSERT secret", nil, nil)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatal(err)
	}
}

func TestQuote(t *testing.T) {
	if got, want := chhttp.Quote(`it's \ 'x'`), `'it\'s \\ \'x\''`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestTheNextAttemptGoesToAnotherReplica(t *testing.T) {
	var answers [2]func(http.ResponseWriter)
	var asked [2]atomic.Int64
	var addrs []string
	for i := range answers {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked[i].Add(1)
			answers[i](w)
		}))
		t.Cleanup(s.Close)
		addrs = append(addrs, s.URL)
	}
	fine := func(w http.ResponseWriter) { _, _ = io.WriteString(w, "1\n") }
	refuse := func(code string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("X-ClickHouse-Exception-Code", code)
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	c, err := chhttp.New(chhttp.Config{Addr: strings.Join(addrs, " ")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdle()
	ask := func(want [2]int64, good bool) {
		t.Helper()
		before := [2]int64{asked[0].Load(), asked[1].Load()}
		if err := c.WithDatabase("d").Exec(t.Context(), "SELECT 1"); (err == nil) != good {
			t.Fatal(err)
		}
		if got := [2]int64{asked[0].Load() - before[0], asked[1].Load() - before[1]}; got != want {
			t.Fatalf("asked %v, want %v", got, want)
		}
	}
	answers = [2]func(http.ResponseWriter){fine, fine}
	ask([2]int64{1, 0}, true)
	answers[0] = refuse("242") // read only
	ask([2]int64{1, 0}, false)
	ask([2]int64{0, 1}, true)
	answers[1] = refuse("27") // a value that no replica takes
	ask([2]int64{0, 1}, false)
	ask([2]int64{0, 1}, false)
	answers[1] = func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	answers[0] = fine
	ask([2]int64{0, 1}, false)
	ask([2]int64{1, 0}, true)
	if _, err := chhttp.New(chhttp.Config{Addr: " "}); err == nil {
		t.Error("a client of nothing")
	}
}

// TestABodyIsNotReadAfterTheAnswer: its memory is the caller's again, whatever the transport still holds.
func TestABodyIsNotReadAfterTheAnswer(t *testing.T) {
	var kept io.Reader
	c, err := chhttp.New(chhttp.Config{Addr: "127.0.0.1:1", Transport: transport(func(r *http.Request) (*http.Response, error) {
		kept = r.Body
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.InsertFrom(t.Context(), "INSERT", func() io.Reader { return strings.NewReader("rows") }, 4, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := kept.Read(make([]byte, 8)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Fatalf("%d bytes were read after the answer, %v", n, err)
	}
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
