package year_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// counter stands between a reader and the store, and counts what is read: metadata (versions, lists, manifests) and data.
type counter struct {
	addr                 string
	requests, meta, data atomic.Int64
}

func newCounter(t *testing.T, store string) *counter {
	t.Helper()
	u, err := url.Parse("http://" + store)
	require.NoError(t, err)
	c := &counter{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Host = r.In.Host }, // the host is part of what was signed
		ModifyResponse: func(r *http.Response) error {
			c.requests.Add(1)
			sum := &c.meta
			if strings.HasSuffix(r.Request.URL.Path, ".parquet") {
				sum = &c.data
			}
			r.Body = &counted{r.Body, sum}
			return nil
		},
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	c.addr = strings.TrimPrefix(s.URL, "http://")
	return c
}

type counted struct {
	io.ReadCloser
	sum *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.sum.Add(int64(n))
	return n, err
}

func (c *counter) reset() {
	c.requests.Store(0)
	c.meta.Store(0)
	c.data.Store(0)
}

func (c *counter) String() string {
	return fmt.Sprintf("%d requests, %d bytes of metadata, %d bytes of data", c.requests.Load(), c.meta.Load(), c.data.Load())
}
