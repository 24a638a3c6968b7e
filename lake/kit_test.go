package lake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	cluster  = "cluster-1"
	topic    = "events"
	topicID  = "11111111-1111-1111-1111-111111111111"
	chunksID = "22222222-2222-2222-2222-222222222222"
	day      = int32(20000) // 2024-10-04
	dayUs    = int64(86_400_000_000)
)

// bed is a table on a bucket of its own, and a way to open it again.
type bed struct {
	*lake.Table
	store  *objects.Store
	config objects.Config
}

// newBed creates a table with one source.
func newBed(t *testing.T) *bed {
	t.Helper()
	b := emptyBed(t)
	must[*lake.Version](t)(b.Create(t.Context()))
	n := must[int](t)(b.EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: topic, TopicID: topicID}))
	if n != 0 {
		t.Fatalf("the first source has number %d", n)
	}
	return b
}

func emptyBed(t *testing.T) *bed {
	t.Helper()
	a := testkit.S3(t)
	b := &bed{config: objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket, Retries: 1,
		Transport: http.DefaultTransport,
	}}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections) // the server waits for them at its end
	b.store = must[*objects.Store](t)(objects.Open(b.config))
	b.Table = lake.OpenEvents(b.store)
	return b
}

// again opens the table as another process would, with faults between it and the store if f is set.
func (b *bed) again(t *testing.T, f http.RoundTripper) *lake.Table {
	t.Helper()
	cfg := b.config
	if f != nil {
		cfg.Transport = f
	}
	return lake.OpenEvents(must[*objects.Store](t)(objects.Open(cfg)))
}

func (b *bed) committer(t *lake.Table) *lake.Committer {
	return lake.NewCommitter(t, cluster, "chunks", chunksID)
}

// checkpoint makes a checkpoint of partition 0 with one file on the store; id names both.
func (b *bed) checkpoint(t *testing.T, id string, from, next int64) lake.Checkpoint {
	t.Helper()
	return b.checkpointOf(t, id, lake.SourceRange{Partition: 0, From: from, Next: next})
}

func (b *bed) checkpointOf(t *testing.T, id string, ranges ...lake.SourceRange) lake.Checkpoint {
	t.Helper()
	c := lake.Checkpoint{ID: id, Worker: "w", Policy: 1}
	var rows int64
	for _, r := range ranges {
		r.Cluster, r.Topic, r.TopicID = cluster, topic, topicID
		c.Sources = append(c.Sources, r)
		rows += r.Next - r.From
	}
	if rows > 0 {
		c.Files = []lake.DataFile{b.file(t, "data/"+id+".parquet", day, rows)}
	}
	return c
}

// file puts a file that nobody reads.
func (b *bed) file(t *testing.T, path string, day int32, rows int64) lake.DataFile {
	t.Helper()
	body := []byte("the rows of " + path)
	must[objects.Info](t)(b.store.Put(t.Context(), b.Key(path), body))
	return describe(path, body, day, rows)
}

func describe(path string, body []byte, day int32, rows int64) lake.DataFile {
	start := int64(day) * dayUs
	return lake.DataFile{
		Path: path, Size: int64(len(body)), Hash: lake.Hash(body), Rows: rows, Day: day, Policy: 1,
		Chunks: []lake.Chunk{{WindowMs: start / 1000, RowGroup: 0, RowGroups: 1, Rows: rows}},
		Stats: []lake.ColumnStats{
			{FieldID: lake.FieldEventID, Values: rows, Lower: lake.LongBound(1), Upper: lake.LongBound(rows)},
			{FieldID: lake.FieldEventTime, Values: rows, Lower: lake.TimeBound(start), Upper: lake.TimeBound(start + 1_000_000)},
		},
	}
}

// records encodes checkpoints as they would stand in `chunks` from offset first on, a marker after each.
func records(t *testing.T, first int64, cps ...lake.Checkpoint) []lake.Record {
	t.Helper()
	out := make([]lake.Record, len(cps))
	for i, c := range cps {
		out[i] = lake.Record{Offset: first + int64(2*i), Value: must[[]byte](t)(lake.Encode(c))}
	}
	return out
}

// rows adds up the rows of the live files.
func rows(t *testing.T, tab *lake.Table) (sum int64) {
	t.Helper()
	for _, f := range live(t, tab) {
		sum += f.Rows
	}
	return sum
}

func live(t *testing.T, tab *lake.Table) []lake.File {
	t.Helper()
	v := must[*lake.Version](t)(tab.Load(t.Context()))
	return must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{}))
}

func (b *bed) wantPosition(t *testing.T, next int64) {
	t.Helper()
	v := must[*lake.Version](t)(b.again(t, nil).Load(t.Context()))
	if got, _ := v.Position.Next(cluster, topicID, 0); got != next {
		t.Errorf("position %d, want %d", got, next)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// faults is a transport on which writes of new versions fail in a chosen way, one fault a write, in order.
type faults struct {
	mu   sync.Mutex
	todo []fault
	hit  int
}

// fault answers one PUT of a version; pass sends the request on.
type fault func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error)

func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	pass := func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(r) }
	f.mu.Lock()
	var next fault
	if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json") && len(f.todo) > 0 {
		next, f.todo = f.todo[0], f.todo[1:]
		f.hit++
	}
	f.mu.Unlock()
	if next == nil {
		return pass()
	}
	return next(r, pass)
}

// lostAnswer writes, and then the connection breaks.
func lostAnswer(_ *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
	r, err := pass()
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, r.Body)
	r.Body.Close()
	return nil, errors.New("connection reset by peer")
}

// lostRequest breaks the connection before anything is written.
func lostRequest(*http.Request, func() (*http.Response, error)) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// status answers without writing.
func status(code int) fault {
	return func(r *http.Request, _ func() (*http.Response, error)) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		return answer(r, code), nil
	}
}

// writtenBut writes, and answers as if it had not.
func writtenBut(code int) fault {
	return func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
		done, err := pass()
		if err != nil {
			return nil, err
		}
		done.Body.Close()
		return answer(r, code), nil
	}
}

// silence waits until the client gives up.
func silence(r *http.Request, _ func() (*http.Response, error)) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// first does something else before the write goes on.
func first(do func()) fault {
	return func(_ *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
		do()
		return pass()
	}
}

func answer(r *http.Request, code int) *http.Response {
	body := fmt.Sprintf("<Error><Code>Fault%d</Code><Message>injected</Message></Error>", code)
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/xml"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}
}

// put writes an object of the table as it stands.
func (b *bed) put(t *testing.T, rel string, body any) {
	t.Helper()
	raw, ok := body.(string)
	if !ok {
		raw = string(must[[]byte](t)(json.Marshal(body)))
	}
	must[objects.Info](t)(b.store.Put(context.WithoutCancel(t.Context()), b.Key(rel), []byte(raw)))
}
