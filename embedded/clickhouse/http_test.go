package clickhouse_test

import (
	"bytes"
	"compress/gzip"
	stdcontext "context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	for _, path := range []string{"/ping", "/", "/replicas_status"} {
		resp, err := http.Get("http://" + shared.Addr() + path)
		require.NoError(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.Equal(t, "Ok.\n", string(body), path)
		require.Equal(t, 200, resp.StatusCode, path)
	}
	resp, err := http.Get("http://" + shared.Addr() + "/nowhere")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 404, resp.StatusCode)
}

func TestAuthentication(t *testing.T) {
	basic := func(name, pass string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, pass) }
	}
	headers := func(name, pass string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("X-ClickHouse-User", name)
			r.Header.Set("X-ClickHouse-Key", pass)
		}
	}
	inURL := func(name, pass string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set("user", name)
			q.Set("password", pass)
			r.URL.RawQuery = q.Encode()
		}
	}
	for name, test := range map[string]struct {
		login  func(*http.Request)
		status int
		code   string
	}{
		"basic":            {basic(user, password), 200, ""},
		"headers":          {headers(user, password), 200, ""},
		"url":              {inURL(user, password), 200, ""},
		"analyst":          {basic(analystUser, analystPassword), 200, ""},
		"wrong basic":      {basic(user, "x"), 403, "516"},
		"wrong headers":    {headers(user, "x"), 403, "516"},
		"wrong url":        {inURL(user, "x"), 403, "516"},
		"other's password": {basic(analystUser, password), 403, "516"},
		"unknown":          {basic("nobody", password), 403, "516"},
		"engine's own":     {basic("default", ""), 403, "516"},
		"none":             {func(*http.Request) {}, 401, "194"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, shared, http.MethodPost, strings.NewReader("SELECT 1"))
			r.Header.Del("Authorization")
			test.login(r)
			a := do(t, r)
			require.Equal(t, test.status, a.status, a.body)
			require.Equal(t, test.code, a.header.Get("X-ClickHouse-Exception-Code"))
			if test.code != "" {
				require.Contains(t, a.body, "Code: "+test.code+". DB::Exception: ")
			}
		})
	}
}

func TestForeignSitesAreRefused(t *testing.T) {
	port := shared.Addr()[strings.LastIndex(shared.Addr(), ":"):]
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"localhost":        {func(r *http.Request) { r.Host = "localhost" + port }, 200},
		"other loopback":   {func(r *http.Request) { r.Host = "127.0.0.2" + port }, 200},
		"v6 loopback":      {func(r *http.Request) { r.Host = "[::1]" + port }, 200},
		"rebound name":     {func(r *http.Request) { r.Host = "evil.example" + port }, 403},
		"lookalike":        {func(r *http.Request) { r.Host = "127.0.0.1.evil.example" }, 403},
		"another address":  {func(r *http.Request) { r.Host = "10.0.0.1" + port }, 403},
		"own origin":       {func(r *http.Request) { r.Header.Set("Origin", "http://"+shared.Addr()) }, 200},
		"foreign origin":   {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"opaque origin":    {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"other local port": {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		"cross-site fetch": {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"same-origin":      {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, shared, http.MethodPost, strings.NewReader("SELECT 1"))
			test.change(r)
			require.Equal(t, test.status, do(t, r).status)
		})
	}
}

func TestHeaders(t *testing.T) {
	a := post(t, shared, "SELECT number FROM numbers(10) FORMAT JSON", "query_id", "mine-7")
	h := a.header
	require.Equal(t, 200, a.status)
	require.Equal(t, "mine-7", h.Get("X-ClickHouse-Query-Id"))
	require.Equal(t, "JSON", h.Get("X-ClickHouse-Format"))
	require.Equal(t, "UTC", h.Get("X-ClickHouse-Timezone"))
	require.Equal(t, "coldstream", h.Get("X-ClickHouse-Server-Display-Name"))
	require.Equal(t, "application/json; charset=UTF-8", h.Get("Content-Type"))
	var summary map[string]string
	require.NoError(t, json.Unmarshal([]byte(h.Get("X-ClickHouse-Summary")), &summary))
	require.Equal(t, "10", summary["read_rows"])
	require.Equal(t, "10", summary["result_rows"])
	var doc struct{ Data []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(a.body), &doc))
	require.Len(t, doc.Data, 10)
	require.Equal(t, "UTC\n", must(t, shared, "SELECT timezone()"))
}

func TestErrors(t *testing.T) {
	for sql, want := range map[string]struct {
		status int
		code   string
	}{
		"SELEC 1":                         {400, "62"},
		"":                                {400, "62"},
		"SELECT 1; SELECT 2":              {400, "62"},
		"SELECT * FROM nowhere":           {404, "60"},
		"SELECT nothing":                  {404, "47"},
		"SELECT nofunc(1)":                {404, "46"},
		"USE nowhere":                     {404, "81"},
		"SELECT 1 SETTINGS nosetting = 1": {404, "115"},
		"SELECT 1 FORMAT NoFormat":        {404, "73"},
		"SELECT toUInt8('x')":             {400, "6"},
		"SELECT throwIf(1)":               {500, "395"},
		"SELECT {x:UInt8}":                {400, "456"},
	} {
		a := post(t, shared, sql)
		require.Equal(t, want.code, a.header.Get("X-ClickHouse-Exception-Code"), "%s: %s", sql, a.body)
		require.Equal(t, want.status, a.status, sql)
		require.True(t, strings.HasPrefix(a.body, "Code: "+want.code+". DB::Exception: "), a.body)
		require.NotContains(t, a.body, "coldstream request", "the front's marker leaks")
	}
	a := post(t, shared, "SELECT 1", "nosetting", "1")
	require.Equal(t, "115", a.header.Get("X-ClickHouse-Exception-Code"))
}

func TestLateErrorBreaksTheBodyOff(t *testing.T) {
	a := post(t, shared, "SELECT throwIf(number = 3000000), number FROM numbers(10000000)")
	require.Equal(t, 200, a.status, "it began well")
	require.Error(t, a.err, "a client must not take the body for whole")
	tag := a.header.Get("X-ClickHouse-Exception-Tag")
	require.Len(t, tag, 16)
	require.Contains(t, a.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. DB::Exception: ")
	require.True(t, strings.HasSuffix(a.body, " "+tag+"\r\n__exception__\r\n"))

	a = post(t, shared, "SELECT throwIf(number = 3000000), number FROM numbers(10000000)", "wait_end_of_query", "1")
	require.Equal(t, 500, a.status)
	require.Equal(t, "395", a.header.Get("X-ClickHouse-Exception-Code"))
}

func TestGetOnlyReads(t *testing.T) {
	get := func(sql string, params ...string) answer {
		return do(t, request(t, shared, http.MethodGet, nil, append(params, "query", sql)...))
	}
	require.Equal(t, "2\n", get("SELECT 1 + 1").body)
	require.Equal(t, "4\n", get("SELECT getSetting('max_threads')", "max_threads", "4").body)
	for _, sql := range []string{"CREATE TABLE by_get (a UInt8) ENGINE = Memory", "DROP DATABASE coldstream"} {
		require.Equal(t, "164", get(sql).header.Get("X-ClickHouse-Exception-Code"), sql)
		require.Equal(t, "164", get(sql, "session_id", "get").header.Get("X-ClickHouse-Exception-Code"), sql)
		require.NotEqual(t, 200, get(sql, "readonly", "0").status, sql)
	}
}

func TestParameters(t *testing.T) {
	got := must(t, shared, "SELECT {s:String}, {n:Int64} + 1, {a:Array(String)}, {d:Identifier} FROM (SELECT 1 AS one) FORMAT JSONCompactEachRow",
		"param_s", `a'b\\c\n`, "param_n", "-8", "param_a", "['x','y']", "param_d", "one")
	require.Equal(t, `["a'b\\c\n", -7, ["x","y"], 1]`, strings.ReplaceAll(strings.TrimSpace(got), `"-7"`, "-7"))
	must(t, shared, "CREATE TABLE params (a String) ENGINE = Memory")
	must(t, shared, "INSERT INTO params SELECT {v:String}", "param_v", "by parameter")
	require.Equal(t, "by parameter\n", must(t, shared, "SELECT a FROM {t:Identifier}", "param_t", "params"))
}

func TestStreamedFormats(t *testing.T) {
	const rows = 300000
	for format, check := range map[string]func(string) int{
		"TabSeparated":          func(s string) int { return strings.Count(s, "\n") },
		"TabSeparatedWithNames": func(s string) int { return strings.Count(s, "\n") - 1 },
		"CSV":                   func(s string) int { return strings.Count(s, "\n") },
		"CSVWithNames":          func(s string) int { return strings.Count(s, "\n") - 1 },
		"JSONEachRow":           func(s string) int { return strings.Count(s, "\n") },
		"RowBinary":             func(s string) int { return len(s) / 8 },
		"JSON": func(s string) int {
			var doc struct{ Rows int }
			if json.Unmarshal([]byte(s), &doc) != nil {
				return -1
			}
			return doc.Rows
		},
		"Parquet": func(s string) int {
			if !strings.HasPrefix(s, "PAR1") || !strings.HasSuffix(s, "PAR1") || strings.Count(s, "PAR1") != 2 {
				return -1
			}
			return rows
		},
	} {
		t.Run(format, func(t *testing.T) {
			require.Equal(t, rows, check(must(t, shared, fmt.Sprintf("SELECT number FROM numbers(%d) FORMAT %s", rows, format))))
			require.Equal(t, rows, check(must(t, shared, fmt.Sprintf("SELECT number FROM numbers(%d)", rows), "default_format", format)))
		})
	}
}

func TestCompression(t *testing.T) {
	sql := "SELECT repeat('x', 1000) FROM numbers(3000)"
	plain := must(t, shared, sql)
	for encoding, open := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { z, err := zstd.NewReader(r); return z, err },
	} {
		r := request(t, shared, http.MethodPost, strings.NewReader(sql), "enable_http_compression", "1")
		r.Header.Set("Accept-Encoding", encoding)
		a := do(t, r)
		require.Equal(t, encoding, a.header.Get("Content-Encoding"))
		z, err := open(strings.NewReader(a.body))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, plain, string(got), encoding)
	}
	a := post(t, shared, sql)
	require.Empty(t, a.header.Get("Content-Encoding"), "only when asked for")

	for _, method := range []string{"LZ4", "ZSTD"} {
		a = post(t, shared, sql, "compress", "1", "network_compression_method", method)
		var got bytes.Buffer
		_, _ = io.Copy(&got, compress.NewReader(strings.NewReader(a.body)))
		require.Equal(t, plain, got.String(), method)
		require.Less(t, len(a.body), len(plain)/10)
	}

	must(t, shared, "CREATE TABLE squeezed (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	data := []byte("1\ta\n2\tb\n")
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(data)
	require.NoError(t, w.Close())
	r := request(t, shared, http.MethodPost, &zipped, "query", "INSERT INTO squeezed FORMAT TSV")
	r.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, 200, do(t, r).status)
	frame := compress.NewWriter(0, compress.LZ4)
	require.NoError(t, frame.Compress(data))
	whole := bytes.Clone(frame.Data)
	r = request(t, shared, http.MethodPost, bytes.NewReader(append(whole, whole...)), "query", "INSERT INTO squeezed FORMAT TSV", "decompress", "1")
	require.Equal(t, 200, do(t, r).status)
	require.Equal(t, "6\t9\n", must(t, shared, "SELECT count(), sum(a) FROM squeezed"))

	r = request(t, shared, http.MethodPost, bytes.NewReader(append(bytes.Clone(whole), whole[:len(whole)-3]...)), "query", "INSERT INTO squeezed FORMAT TSV", "decompress", "1")
	require.Equal(t, 400, do(t, r).status, "a frame that is cut short")
	whole[len(whole)-1] ^= 1
	r = request(t, shared, http.MethodPost, bytes.NewReader(whole), "query", "INSERT INTO squeezed FORMAT TSV", "decompress", "1")
	require.Equal(t, 400, do(t, r).status, "a frame whose checksum is wrong")
}

func TestSessions(t *testing.T) {
	in := func(sql string, params ...string) answer {
		return post(t, shared, sql, append(params, "session_id", t.Name(), "session_timeout", "30")...)
	}
	require.Equal(t, 200, in("CREATE TEMPORARY TABLE mine (a UInt8)").status)
	require.Equal(t, 200, in("INSERT INTO mine VALUES (1), (2);").status)
	require.Equal(t, "3\n", in("SELECT sum(a) FROM mine").body)
	require.Equal(t, 404, post(t, shared, "SELECT sum(a) FROM mine").status, "no other sees it")
	require.Equal(t, 200, in("SET max_threads = 3").status)
	require.Equal(t, "3\n", in("SELECT getSetting('max_threads')").body)
	require.Equal(t, "5\n", in("SELECT getSetting('max_threads')", "max_threads", "5").body)
	require.Equal(t, "3\n", in("SELECT getSetting('max_threads')").body, "a URL's setting lasts for its request")
	require.Equal(t, "system\n", in("SELECT currentDatabase()", "database", "system").body)
	require.Equal(t, "coldstream\n", in("SELECT currentDatabase()").body)
	require.Equal(t, "372", post(t, shared, "SELECT 1", "session_id", "never", "session_check", "1").header.Get("X-ClickHouse-Exception-Code"))
	as := request(t, shared, http.MethodPost, strings.NewReader("SELECT sum(a) FROM mine"), "session_id", t.Name())
	as.SetBasicAuth(analystUser, analystPassword)
	require.Equal(t, 404, do(t, as).status, "a session is its user's")

	var wg sync.WaitGroup
	wg.Go(func() {
		for in("SELECT sleep(1)").status != 200 { // until it is the one that holds the session
		}
	})
	require.Eventually(t, func() bool {
		return in("SELECT 1").header.Get("X-ClickHouse-Exception-Code") == "373"
	}, 5*time.Second, 5*time.Millisecond, "one statement at a time")
	wg.Wait()
}

func TestSlowQueriesDoNotBlock(t *testing.T) {
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { post(t, shared, "SELECT sleep(2)") })
	}
	started := time.Now()
	for range 20 {
		must(t, shared, "SELECT 1")
	}
	require.Less(t, time.Since(started), 1500*time.Millisecond)
	wg.Wait()
}

func TestTooManyQueries(t *testing.T) {
	ctx, cancel := stdcontext.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for range 101 {
		wg.Go(func() {
			for ctx.Err() == nil { // a refused one tries again, so that every place is taken
				r := request(t, shared, http.MethodPost, strings.NewReader("SELECT sleep(3) FROM numbers(20) SETTINGS max_block_size = 1")).WithContext(ctx)
				if resp, err := http.DefaultClient.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		a := post(t, shared, "SELECT 1")
		if a.status == 503 {
			require.Equal(t, "202", a.header.Get("X-ClickHouse-Exception-Code"))
			break
		}
		require.Equal(t, "1\n", a.body, "a place is free, so it is served")
		require.True(t, time.Now().Before(deadline), "101 requests are served at the same time")
	}
	cancel()
	wg.Wait()
	require.Eventually(t, func() bool {
		return post(t, shared, "SELECT count() FROM system.processes WHERE query LIKE '%sleep(3) FROM num'||'bers%'").body == "0\n"
	}, 30*time.Second, 50*time.Millisecond, "queries whose clients went away hold their places")
}
