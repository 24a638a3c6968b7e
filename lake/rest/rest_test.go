package rest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/lake/rest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// kind is a way to keep a table's versions. Every test below runs on each.
type kind struct {
	name string
	// open opens the same table, as another process would; f stands between it and where the versions are.
	open func(t *testing.T, f http.RoundTripper) *lake.Table
}

// kinds are the version files, and a real REST catalog where COLDSTREAM_TEST_CATALOG has its URI and the bucket that it
// may write: scripts/real-catalog.sh starts Iceberg's own.
func kinds(t *testing.T) []kind {
	t.Helper()
	a, prefix := testkit.S3(t), testkit.Name(t)
	list := []kind{{"files", func(t *testing.T, f http.RoundTripper) *lake.Table {
		return lake.OpenEvents(store(t, a, prefix, f))
	}}}
	uri := os.Getenv("COLDSTREAM_TEST_CATALOG")
	if uri == "" {
		t.Log("COLDSTREAM_TEST_CATALOG is not set: no REST catalog is tried (make test-real has one)")
		return list
	}
	return append(list, kind{"rest", func(t *testing.T, f http.RoundTripper) *lake.Table {
		c, err := rest.New(rest.Config{URI: uri, Namespace: prefix, Transport: f})
		require.NoError(t, err)
		return lake.OpenEventsIn(store(t, a, prefix, nil), c)
	}})
}

func store(t *testing.T, a testkit.S3Access, prefix string, f http.RoundTripper) *objects.Store {
	t.Helper()
	s, err := objects.Open(objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket, Prefix: prefix, Retries: 1, Transport: f,
	})
	require.NoError(t, err)
	return s
}

// each runs a test on every kind, with a table of two days in it.
func each(t *testing.T, run func(t *testing.T, k kind, w *lakekit.Writer)) {
	for _, k := range kinds(t) {
		t.Run(k.name, func(t *testing.T) { run(t, k, lakekit.Fill(t, k.open(t, nil), 2, 10)) })
	}
}

// rows adds up the live files' rows, as a process that has just started sees them.
func rows(t *testing.T, k kind) (n int64) {
	t.Helper()
	v, err := k.open(t, nil).Load(t.Context())
	require.NoError(t, err)
	files, err := v.Files(t.Context(), lake.Filter{})
	require.NoError(t, err)
	for _, f := range files {
		n += f.Rows
	}
	return n
}

func TestNoTable(t *testing.T) {
	for _, k := range kinds(t) {
		t.Run(k.name, func(t *testing.T) {
			_, err := k.open(t, nil).Load(t.Context())
			require.ErrorIs(t, err, lake.ErrNoTable)
		})
	}
}

func TestCommitsAreSeenByOthersWithTheirPosition(t *testing.T) {
	each(t, func(t *testing.T, k kind, w *lakekit.Writer) {
		before, err := k.open(t, nil).Load(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.Day(t.Context(), 2, 10))
		after, err := k.open(t, nil).Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, before.N+1, after.N)
		require.Equal(t, int64(20), before.Position.Sources[0].Next)
		require.Equal(t, int64(30), after.Position.Sources[0].Next)
		require.Equal(t, after.Metadata.CurrentSnapshot().Summary.Properties[lake.PropertyPosition], after.Properties()[lake.PropertyPosition])
		require.NotEmpty(t, after.CommitID())
		require.Equal(t, int64(30), rows(t, k))
		again, err := k.open(t, nil).Create(t.Context()) // of what is there
		require.NoError(t, err)
		require.Equal(t, after.N, again.N)
	})
}

// Two committers have the same records: one of them takes each, whoever is faster.
func TestTwoCommittersTakeARecordOnce(t *testing.T) {
	each(t, func(t *testing.T, k kind, w *lakekit.Writer) {
		other := k.open(t, nil)
		for d := 2; d < 8; d++ {
			require.NoError(t, w.Prepare(t.Context(), d, 10))
			twin := w.Twin(other)
			errs := make([]error, 2)
			var g sync.WaitGroup
			for i, c := range []*lakekit.Writer{w, twin} {
				g.Go(func() { _, errs[i] = c.Commit(t.Context()) })
			}
			g.Wait()
			require.NoError(t, errors.Join(errs...))
		}
		require.Equal(t, int64(80), rows(t, k))
	})
}

// A committer that slept since it looked at the table commits nothing.
func TestAStaleBaseIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k kind, w *lakekit.Writer) {
		require.NoError(t, w.Prepare(t.Context(), 2, 10))
		var once sync.Once
		asleep := k.open(t, onWrite(func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
			once.Do(func() { // while its request is on the way, another commits
				_, err := w.Twin(k.open(t, nil)).Commit(t.Context())
				require.NoError(t, err)
			})
			return pass()
		}))
		done, err := w.Twin(asleep).Commit(t.Context())
		require.NoError(t, err)
		require.Zero(t, done.Checkpoints, "the other has taken it")
		require.Equal(t, int64(30), rows(t, k))
	})
}

// The answer to a commit is lost, or says that nobody knows: the committer looks, and neither loses nor doubles it.
func TestALostAnswerIsSettled(t *testing.T) {
	lost := errors.New("connection reset by peer")
	for name, fault := range map[string]func(*http.Request, func() (*http.Response, error)) (*http.Response, error){
		"written, answer lost": func(_ *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
			r, err := pass()
			if err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
			return nil, errors.Join(err, lost)
		},
		"written, answered 500": func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
			done, err := pass()
			if err == nil {
				done.Body.Close()
			}
			return answer(r, 500), err
		},
		"not written, request lost": func(*http.Request, func() (*http.Response, error)) (*http.Response, error) { return nil, lost },
		"not written, answered 503": func(r *http.Request, _ func() (*http.Response, error)) (*http.Response, error) {
			return answer(r, 503), nil
		},
		"not written, answered 409": func(r *http.Request, _ func() (*http.Response, error)) (*http.Response, error) {
			return answer(r, 409), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, k kind, w *lakekit.Writer) {
				hits := 0
				faulty := k.open(t, onWrite(func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
					if hits++; hits == 1 {
						return fault(r, pass)
					}
					return pass()
				}))
				require.NoError(t, w.Prepare(t.Context(), 2, 10))
				done, err := w.Twin(faulty).Commit(t.Context())
				require.NoError(t, err)
				require.NotZero(t, hits, "the fault did not happen")
				require.Equal(t, int64(30), rows(t, k))
				require.Equal(t, int64(30), done.Version.Position.Sources[0].Next)
			})
		})
	}
}

func TestSnapshotsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, k kind, w *lakekit.Writer) {
		for d := 2; d < 110; d++ {
			require.NoError(t, w.Day(t.Context(), d, 1))
		}
		v, err := k.open(t, nil).Load(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(v.Metadata.Snapshots()), 100)
		require.Equal(t, int64(128), rows(t, k))
	})
}

func TestATableOfAnotherPlaceIsRefused(t *testing.T) {
	uri := os.Getenv("COLDSTREAM_TEST_CATALOG")
	if uri == "" {
		t.Skip("COLDSTREAM_TEST_CATALOG is not set: make test-real has a REST catalog")
	}
	ks := kinds(t)
	lakekit.Fill(t, ks[1].open(t, nil), 1, 1)
	v, err := ks[1].open(t, nil).Load(t.Context())
	require.NoError(t, err)
	c, err := rest.New(rest.Config{URI: uri, Namespace: strings.Split(v.Metadata.Location(), "/")[3]})
	require.NoError(t, err)
	_, err = lake.OpenEventsIn(store(t, testkit.S3(t), "", nil), c).Load(t.Context())
	require.ErrorIs(t, err, lake.ErrForeign)
	require.ErrorContains(t, err, v.Metadata.Location())
}

// onWrite is a transport on which the writes of new versions, to either kind, go through f.
type onWrite func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error)

func (f onWrite) RoundTrip(r *http.Request) (*http.Response, error) {
	pass := func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(r) }
	file := r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json")
	commit := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/tables/events")
	if file || commit {
		return f(r, pass)
	}
	return pass()
}

func answer(r *http.Request, code int) *http.Response {
	body := fmt.Sprintf(`{"error":{"message":"injected","type":"Injected","code":%d}}`, code)
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}
}
