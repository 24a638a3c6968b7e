package clickhouse_test

import (
	stdcontext "context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/embedded/clickhouse"
)

func context() stdcontext.Context { return stdcontext.Background() }

func config(dir string) clickhouse.Config {
	return clickhouse.Config{
		Dir: dir, Addr: "127.0.0.1:0", User: user, Password: password,
		AnalystUser: analystUser, AnalystPassword: analystPassword,
	}
}

// answer is an HTTP answer, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// post sends sql to the server as the full user; params are URL parameters, name and value in turn.
func post(t *testing.T, s *clickhouse.Server, sql string, params ...string) answer {
	t.Helper()
	return do(t, request(t, s, http.MethodPost, strings.NewReader(sql), params...))
}

func request(t *testing.T, s *clickhouse.Server, method string, body io.Reader, params ...string) *http.Request {
	t.Helper()
	query := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		query.Set(params[i], params[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+"/?"+query.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	return r
}

func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	resp, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatalf("%s: %v", r.URL.Query().Get("query"), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body), err: err}
}

// must sends sql and returns the answer's body; anything but 200 fails the test.
func must(t *testing.T, s *clickhouse.Server, sql string, params ...string) string {
	t.Helper()
	a := post(t, s, sql, params...)
	if a.status != http.StatusOK || a.err != nil {
		t.Fatalf("%s: status %d, %v: %s", sql, a.status, a.err, a.body)
	}
	return a.body
}
