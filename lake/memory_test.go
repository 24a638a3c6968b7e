package lake_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// memory is an object store that is a map, as a transport: one bucket, conditional writes, no signatures. It answers at
// once, so that a test of schedules has no other waits than its own.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

const memoryBucket = "bucket"

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/"+memoryBucket), "/")
	switch {
	case r.Method == http.MethodPut:
		return m.put(r, key, body), nil
	case key == "":
		return m.list(r), nil
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		have, ok := m.objects[key]
		if !ok {
			return reply(r, http.StatusNotFound, "<Error><Code>NoSuchKey</Code></Error>", ""), nil
		}
		return reply(r, http.StatusOK, string(have), tag(have)), nil
	}
	return nil, fmt.Errorf("memory: %s %s", r.Method, r.URL)
}

func (m *memory) put(r *http.Request, key string, body []byte) *http.Response {
	have, there := m.objects[key]
	match := strings.Trim(r.Header.Get("If-Match"), `"`)
	switch {
	case r.Header.Get("If-None-Match") == "*" && there, match != "" && match != tag(have):
		return reply(r, http.StatusPreconditionFailed, "<Error><Code>PreconditionFailed</Code></Error>", "")
	}
	m.objects[key] = body
	return reply(r, http.StatusOK, "", tag(body))
}

func (m *memory) list(r *http.Request) *http.Response {
	type entry struct {
		Key          string
		Size         int
		ETag         string
		LastModified string
	}
	var all struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []entry
	}
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
			all.Contents = append(all.Contents, entry{key, len(m.objects[key]), tag(m.objects[key]), time.Unix(0, 0).UTC().Format(time.RFC3339)})
		}
	}
	doc, err := xml.Marshal(all)
	if err != nil {
		panic(err)
	}
	return reply(r, http.StatusOK, string(doc), "")
}

// get gives an object of the table.
func (m *memory) get(rel string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.objects["lake/events/"+rel])
}

func tag(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

func reply(r *http.Request, code int, body, etag string) *http.Response {
	h := http.Header{"Last-Modified": {time.Unix(0, 0).UTC().Format(http.TimeFormat)}, "Content-Type": {"application/xml"}}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if etag != "" {
		h.Set("ETag", `"`+etag+`"`)
	}
	answer := &http.Response{
		StatusCode: code, Status: fmt.Sprint(code, " ", http.StatusText(code)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, ContentLength: int64(len(body)), Request: r,
	}
	if r.Method == http.MethodHead {
		body = ""
	}
	answer.Body = io.NopCloser(bytes.NewReader([]byte(body)))
	return answer
}

// kind says what a request of a committer is for; "" for those that matter to nobody else.
func kind(r *http.Request) string {
	hint := strings.HasSuffix(r.URL.Path, "/version-hint.text")
	version := strings.HasSuffix(r.URL.Path, ".metadata.json")
	switch {
	case hint && r.Method == http.MethodPut:
		return "raise"
	case hint:
		return "hint"
	case version && r.Method == http.MethodPut:
		return "put"
	case version:
		return "version"
	}
	return ""
}

// parked is a request that waits to be let through, or answered otherwise.
type parked struct {
	kind   string
	owner  *gate
	r      *http.Request
	answer chan func() (*http.Response, error)
}

// gate parks the requests of one committer, of which it has one at a time.
type gate struct {
	store *memory
	mu    sync.Mutex
	now   *parked
	dead  bool
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	k := kind(r)
	g.mu.Lock()
	dead := g.dead
	g.mu.Unlock()
	if dead {
		return nil, errLost
	}
	if k == "" {
		return g.store.RoundTrip(r)
	}
	if r.Body != nil { // it outlives its sender
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	p := &parked{k, g, r, make(chan func() (*http.Response, error), 1)}
	g.mu.Lock()
	g.now = p
	g.mu.Unlock()
	return (<-p.answer)()
}

// take gives the request that is parked, if one is.
func (g *gate) take() *parked {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.now
	g.now = nil
	return p
}

// is tells what the request that is parked is for.
func (g *gate) is() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now == nil {
		return "nothing"
	}
	return g.now.kind
}

// lose breaks the connection under whoever waits for an answer; once is enough.
func (p *parked) lose() {
	select {
	case p.answer <- func() (*http.Response, error) { return nil, errLost }:
	default:
	}
}
