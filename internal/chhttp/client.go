// Package chhttp speaks ClickHouse's HTTP interface, as far as Coldstream's own statements need it: statements without
// a result ([Client.Exec]), inserts of a body that is encoded already ([Client.Insert]), and small results as rows
// ([Select]). The types to know are [Client] and [Exception].
//
// It exists beside clickhouse-go because the hot sink sends blocks that it has encoded itself, must see the body of an
// answer that says 200 and carries an exception all the same, and tells errors apart by their code. It does not retry
// (where there are replicas, the caller's next attempt goes to another), keep sessions or stream results.
package chhttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config says where ClickHouse is.
type Config struct {
	// Addr is host:port, or a URL with a scheme. Several, separated by spaces, are replicas that hold the same: the first
	// is asked, and after an error that another may not have, the next.
	Addr     string
	User     string // empty: the server's default user
	Password string
	Database string            // empty: the server's default database
	Settings map[string]string // sent with every request
	// TLS is for addresses with https; nil: what the system trusts. It is not for a Transport of the caller's.
	TLS *tls.Config
	// Transport carries the requests; nil: one of the client's own, with keep-alive.
	Transport http.RoundTripper
}

// Client sends statements to one server, or to one of some replicas. It is safe for many goroutines.
type Client struct {
	hosts  *hosts
	config Config
	http   *http.Client
}

// maxAnswer bounds what is read of an answer: no result of this package's callers is near it.
const maxAnswer = 256 << 20

// New returns a client; it does no I/O. An address that is no URL is an error.
func New(c Config) (*Client, error) {
	hosts, err := parseHosts(c.Addr)
	if err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
			TLSClientConfig: c.TLS, TLSHandshakeTimeout: 5 * time.Second,
		}
	}
	return &Client{hosts: hosts, config: c, http: &http.Client{Transport: c.Transport}}, nil
}

// Database is the database that statements run in.
func (c *Client) Database() string { return c.config.Database }

// WithDatabase is the same client on another database; empty: the server's default.
func (c *Client) WithDatabase(name string) *Client {
	d := *c
	d.config.Database = name
	return &d
}

// WithSettings is the same client with further settings, sent with every request.
func (c *Client) WithSettings(settings map[string]string) *Client {
	d := *c
	d.config.Settings = maps.Clone(settings)
	for k, v := range c.config.Settings {
		if _, ok := d.config.Settings[k]; !ok {
			d.config.Settings[k] = v
		}
	}
	return &d
}

// CloseIdle closes the connections that no request uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// Exec runs a statement and ignores its result.
func (c *Client) Exec(ctx context.Context, sql string) error {
	_, err := c.Query(ctx, sql)
	return err
}

// Query runs a statement and returns its result as it came: tab-separated, unless the statement names a format.
func (c *Client) Query(ctx context.Context, sql string) ([]byte, error) {
	answer, err := c.post(ctx, url.Values{"wait_end_of_query": {"1"}}, strings.NewReader(sql), int64(len(sql)))
	if err != nil {
		return nil, err
	}
	return answer, lateException(answer)
}

// Insert sends data, encoded in the format that sql ends with, and returns when the server has acknowledged it. settings
// go with this request only. After an error it is unknown whether the rows stand unless it is an *Exception.
func (c *Client) Insert(ctx context.Context, sql string, data []byte, settings map[string]string) error {
	return c.InsertFrom(ctx, sql, func() io.Reader { return bytes.NewReader(data) }, int64(len(data)), settings)
}

// InsertFrom is Insert of a body of so many bytes that is read from where it lies. body returns a reader at its beginning;
// it may be called more than once, and all that it returned are done with when InsertFrom returns.
func (c *Client) InsertFrom(ctx context.Context, sql string, body func() io.Reader, size int64, settings map[string]string) error {
	q := url.Values{"query": {sql}, "wait_end_of_query": {"1"}}
	for k, v := range settings {
		q.Set(k, v)
	}
	reader := &shut{r: body()}
	r, err := c.request(ctx, q, reader, size)
	if err != nil {
		return err
	}
	readers := []*shut{reader}
	r.GetBody = func() (io.ReadCloser, error) { // for a connection that the server had closed before anything was sent
		again := &shut{r: body()}
		readers = append(readers, again)
		return again, nil
	}
	answer, err := c.ask(r)
	for _, one := range readers {
		_ = one.Close()
	}
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(string(answer)); text != "" { // an insert has no result: this is an exception after the header
		return ParseException(text)
	}
	return nil
}

// shut is a body that is not read any more once it was closed, although the transport may still hold it: its memory is
// the caller's again.
type shut struct {
	mu sync.Mutex
	r  io.Reader
}

// Read implements io.Reader.
func (s *shut) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.r == nil {
		return 0, io.ErrClosedPipe
	}
	return s.r.Read(p)
}

// Close implements io.Closer.
func (s *shut) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.r = nil
	return nil
}

func (c *Client) post(ctx context.Context, q url.Values, body io.Reader, size int64) ([]byte, error) {
	r, err := c.request(ctx, q, body, size)
	if err != nil {
		return nil, err
	}
	return c.ask(r)
}

// ask sends a request; after an error of the server's own the next goes to another of its addresses.
func (c *Client) ask(r *http.Request) ([]byte, error) {
	answer, err := c.send(r)
	if err != nil {
		c.hosts.failed(r.URL.Host, err)
	}
	return answer, err
}

func (c *Client) request(ctx context.Context, q url.Values, body io.Reader, size int64) (*http.Request, error) {
	for k, v := range maps.All(c.config.Settings) {
		if !q.Has(k) {
			q.Set(k, v)
		}
	}
	if c.config.Database != "" {
		q.Set("database", c.config.Database)
	}
	u := *c.hosts.base()
	u.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("clickhouse request: %w", err)
	}
	r.ContentLength = size
	if c.config.User != "" {
		r.Header.Set("X-ClickHouse-User", c.config.User)
		r.Header.Set("X-ClickHouse-Key", c.config.Password)
	}
	return r, nil
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	w, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("clickhouse at %s: %w", r.URL.Host, withoutURL(err))
	}
	return w, nil
}

func (c *Client) send(r *http.Request) ([]byte, error) {
	w, err := c.do(r)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	if !good(w) {
		return nil, refusal(w)
	}
	answer, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("clickhouse at %s: reading the answer: %w", r.URL.Host, err)
	}
	return answer, nil
}

// refusal reads the exception of an answer that is not good.
func refusal(w *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("clickhouse answered HTTP %d: reading why: %w", w.StatusCode, err)
	}
	e := ParseException(strings.TrimSpace(string(text)))
	e.Status = w.StatusCode
	if e.Code == 0 {
		e.Code = atoi(w.Header.Get("X-ClickHouse-Exception-Code"))
	}
	return e
}

// withoutURL takes the request's address out of an error of net/http: it holds the whole statement.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
