package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// s3Front stands before the object store, for one process, and answers for it when a fault says so.
type s3Front struct {
	forward *httputil.ReverseProxy
	direct  http.RoundTripper
	target  *url.URL

	mu     sync.Mutex
	faults []*s3Fault
}

// s3Fault spoils the next requests of a class.
type s3Fault struct {
	class string // see classOf; "any"
	mode  string
	left  int
	hits  int
	hold  time.Duration
}

func newS3Front(target string) *s3Front {
	u := &url.URL{Scheme: "http", Host: target}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	f := &s3Front{target: u, direct: transport}
	f.forward = &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host
			r.Out.Host = r.In.Host // the signature covers it
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { drop(w) },
	}
	return f
}

// classOf names what a request is for.
func classOf(r *http.Request) string {
	base, verb := path.Base(r.URL.Path), strings.ToLower(r.Method)
	switch {
	case strings.Contains(r.URL.Path, "/.probe/"):
		return "probe"
	case strings.Contains(r.URL.Path, "/data/"):
		return verb + "-data"
	case base == "version-hint.text":
		return verb + "-hint"
	case strings.HasSuffix(base, ".metadata.json"):
		return verb + "-version"
	case strings.HasSuffix(base, ".avro"):
		return verb + "-manifest"
	}
	return "other"
}

// add sets a fault; remove ends it and says how often it struck.
func (f *s3Front) add(x *s3Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, x)
}

func (f *s3Front) remove(x *s3Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, y := range f.faults {
		if x == y {
			f.faults = append(f.faults[:i], f.faults[i+1:]...)
			break
		}
	}
	return x.hits
}

func (f *s3Front) take(class string) *s3Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.faults {
		if x.left > 0 && (x.class == class || x.class == "any") {
			x.left--
			x.hits++
			return x
		}
	}
	return nil
}

func (f *s3Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := f.take(classOf(r))
	if x == nil {
		f.forward.ServeHTTP(w, r)
		return
	}
	switch x.mode {
	case "500":
		refuse(w, r, http.StatusInternalServerError, "InternalError")
	case "503":
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown")
	case "403":
		refuse(w, r, http.StatusForbidden, "AccessDenied")
	case "timeout":
		select {
		case <-r.Context().Done():
		case <-time.After(x.hold):
		}
		drop(w)
	case "lost":
		f.carryOut(r)
		drop(w)
	case "late":
		f.carryOutLater(w, r, x.hold)
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>injected</Message></Error>`)
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

// carryOut does the request at the store and keeps the answer to itself.
func (f *s3Front) carryOut(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		f.send(r.Clone(context.WithoutCancel(r.Context())), body)
	}
}

// carryOutLater gives the client no answer and does the request when it has long given up.
func (f *s3Front) carryOutLater(w http.ResponseWriter, r *http.Request, hold time.Duration) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	later := r.Clone(context.WithoutCancel(r.Context()))
	drop(w)
	go func() {
		time.Sleep(hold)
		f.send(later, body)
	}()
}

func (f *s3Front) send(r *http.Request, body []byte) {
	r.RequestURI = ""
	r.URL.Scheme, r.URL.Host = f.target.Scheme, f.target.Host
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if resp, err := f.direct.RoundTrip(r); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
