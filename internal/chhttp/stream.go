package chhttp

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Stream runs a statement and returns its result to read and close. The server holds the answer until it is whole, so
// that an exception is an error here and not a part of the result.
func (c *Client) Stream(ctx context.Context, sql string) (io.ReadCloser, error) {
	r, err := c.request(ctx, url.Values{"wait_end_of_query": {"1"}}, strings.NewReader(sql), int64(len(sql)))
	if err != nil {
		return nil, err
	}
	w, err := c.do(r)
	if err != nil {
		c.hosts.failed(r.URL.Host, err)
		return nil, err
	}
	if good(w) {
		return w.Body, nil
	}
	defer w.Body.Close()
	return nil, refusal(w)
}

func good(w *http.Response) bool {
	code := w.Header.Get("X-ClickHouse-Exception-Code")
	return w.StatusCode == http.StatusOK && (code == "" || code == "0")
}
