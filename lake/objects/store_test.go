package objects_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake/objects"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func open(t *testing.T, change func(*objects.Config)) *objects.Store {
	t.Helper()
	a := testkit.S3(t)
	cfg := objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey,
		Bucket: a.Bucket, Prefix: "/some/where/",
	}
	if change != nil {
		change(&cfg)
	}
	s, err := objects.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
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

func TestStoreReadsWhatItWrote(t *testing.T) {
	s, ctx := open(t, nil), t.Context()
	body := bytes.Repeat([]byte("0123456789"), 1000)
	put := must[objects.Info](t)(s.Put(ctx, "a/b", body))
	must[objects.Info](t)(s.Put(ctx, "a/empty", nil))
	got, info, err := s.Get(ctx, "a/b")
	if err != nil || !bytes.Equal(got, body) || info.ETag != put.ETag || info.Size != 10000 {
		t.Errorf("get: %d bytes, %+v, %v; put %+v", len(got), info, err, put)
	}
	if got, _, err = s.Get(ctx, "a/empty"); err != nil || len(got) != 0 {
		t.Errorf("get of an empty object: %q, %v", got, err)
	}
	if part := must[[]byte](t)(s.GetRange(ctx, "a/b", 9995, 5)); string(part) != "56789" {
		t.Errorf("range: %q", part)
	}
	_, err = s.GetRange(ctx, "a/b", 9995, 6)
	wantErr(t, "range past the end", err, io.ErrUnexpectedEOF)
	if head := must[objects.Info](t)(s.Head(ctx, "a/b")); head.Size != 10000 || head.ETag != put.ETag {
		t.Errorf("head: %+v", head)
	}
	var keys []string
	for o, err := range s.List(ctx, "a") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if strings.Join(keys, " ") != "a/b a/empty" {
		t.Errorf("list: %q", keys)
	}
	for range 2 {
		if err := s.Remove(ctx, "a/b"); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	_, _, err = s.Get(ctx, "a/b")
	wantErr(t, "get of what is gone", err, objects.ErrNotFound)
	_, err = s.Head(ctx, "a/b")
	wantErr(t, "head of what is gone", err, objects.ErrNotFound)
}

func TestConditionalWrites(t *testing.T) {
	s, ctx := open(t, nil), t.Context()
	first := must[objects.Info](t)(s.PutIfAbsent(ctx, "k", []byte("1")))
	_, err := s.PutIfAbsent(ctx, "k", []byte("2"))
	wantErr(t, "put if absent, again", err, objects.ErrPrecondition)
	second := must[objects.Info](t)(s.PutIfMatch(ctx, "k", first.ETag, []byte("three")))
	_, err = s.PutIfMatch(ctx, "k", first.ETag, []byte("4"))
	wantErr(t, "put if match, stale", err, objects.ErrPrecondition)
	_, err = s.PutIfMatch(ctx, "none", second.ETag, []byte("5"))
	wantErr(t, "put if match, missing", err, objects.ErrNotFound)
	if got, info, err := s.Get(ctx, "k"); string(got) != "three" || info.ETag != second.ETag || err != nil {
		t.Errorf("get: %q %+v %v, want what the second wrote", got, info, err)
	}
}

func TestFSServesIceberg(t *testing.T) {
	s, ctx := open(t, nil), t.Context()
	fs := s.FS(ctx)
	w := must[io.WriteCloser](t)(fs.Create(s.URI("x/y")))
	must[int](t)(w.Write([]byte("hello ")))
	must[int](t)(w.Write([]byte("world")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := fs.Open(s.URI("x/y"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := must[[]byte](t)(io.ReadAll(f))
	part := make([]byte, 5)
	if n, err := f.ReadAt(part, 6); n != 5 || (err != nil && !errors.Is(err, io.EOF)) {
		t.Errorf("read at 6: %d bytes, %v", n, err)
	}
	st, err := f.Stat()
	if string(all) != "hello world" || string(part) != "world" || err != nil || st.Size() != 11 || st.Name() != "y" {
		t.Errorf("read %q, part %q, stat %v %v", all, part, st, err)
	}
	if _, err = fs.Open("s3://elsewhere/x"); err == nil {
		t.Error("an address outside the store was opened")
	}
	if err = fs.Remove(s.URI("x/y")); err == nil {
		t.Error("iceberg-go was allowed to delete")
	}
	missing, err := fs.Open(s.URI("x/none"))
	if err == nil {
		_, err = missing.Stat()
	}
	wantErr(t, "open of what is missing", err, objects.ErrNotFound)
}

func TestProbe(t *testing.T) {
	if err := open(t, nil).Probe(t.Context()); err != nil {
		t.Errorf("a store that honours conditions was refused: %v", err)
	}
	s := open(t, func(c *objects.Config) { c.Transport = yesMan{} })
	wantErr(t, "a store that ignores conditions", s.Probe(t.Context()), objects.ErrUnfit)
	s = open(t, func(c *objects.Config) { c.SecretKey = "wrong-secret-key" })
	err := s.Probe(t.Context())
	wantErr(t, "wrong credentials", err, objects.ErrDenied)
	if errors.Is(err, objects.ErrUnfit) {
		t.Errorf("wrong credentials were taken for an unfit store: %v", err)
	}
}

// yesMan is a store that accepts every write, whatever its conditions.
type yesMan struct{}

func (yesMan) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	h := http.Header{"Etag": {`"e"`}, "Content-Length": {"0"}}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: http.NoBody, Request: r,
	}, nil
}

func TestEnsureBucket(t *testing.T) {
	s := open(t, func(c *objects.Config) { c.Bucket = testkit.Name(t) })
	_, _, err := s.Get(t.Context(), "k")
	wantErr(t, "get without a bucket", err, objects.ErrNoBucket)
	for _, err = range s.List(t.Context(), "k") {
		wantErr(t, "list without a bucket", err, objects.ErrNoBucket)
	}
	for range 2 {
		if err := s.EnsureBucket(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	must[objects.Info](t)(s.PutIfAbsent(t.Context(), "k", []byte("1")))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	good := objects.Config{Endpoint: "localhost:9000", Bucket: "b"}
	for _, c := range []struct {
		change func(*objects.Config)
		want   string
	}{
		{func(c *objects.Config) { c.Endpoint = "" }, "s3.endpoint"},
		{func(c *objects.Config) { c.Endpoint = "ftp://x" }, "http(s)://"},
		{func(c *objects.Config) { c.Endpoint = "http://x/path" }, "http(s)://"},
		{func(c *objects.Config) { c.Bucket = "" }, "s3.bucket"},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := objects.Open(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want something about %s", cfg, err, c.want)
		}
	}
	s := must[*objects.Store](t)(objects.Open(objects.Config{Endpoint: "https://s3.example.com", Bucket: "b", Prefix: "p"}))
	if got := s.BaseURL("lake/events"); got != "https://s3.example.com/b/p/lake/events/" {
		t.Errorf("BaseURL: %s", got)
	}
	if key, err := s.Key(s.URI("a/b")); key != "a/b" || err != nil || s.URI("a/b") != "s3://b/p/a/b" {
		t.Errorf("key %q of %s: %v", key, s.URI("a/b"), err)
	}
}
