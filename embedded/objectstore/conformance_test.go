package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/coldstream/coldstream/internal/testkit"
)

// store is a fresh bucket of the store under test.
type store struct {
	t      *testing.T
	core   minio.Core
	bucket string
}

func newStore(t *testing.T) store {
	t.Helper()
	access := testkit.S3(t)
	return store{t: t, core: minio.Core{Client: access.Client(t)}, bucket: access.Bucket}
}

// put writes an object in one request.
func (s store) put(key, body string, condition func(*minio.PutObjectOptions)) (minio.UploadInfo, error) {
	options := minio.PutObjectOptions{DisableMultipart: true}
	if condition != nil {
		condition(&options)
	}
	return s.core.Client.PutObject(s.t.Context(), s.bucket, key, strings.NewReader(body), int64(len(body)), options)
}

// mustPut writes an object and returns its ETag.
func (s store) mustPut(key, body string) (etag string) {
	s.t.Helper()
	info, err := s.put(key, body, nil)
	if err != nil {
		s.t.Fatalf("put %q: %v", key, err)
	}
	return info.ETag
}

// get reads a whole object.
func (s store) get(key string) string {
	s.t.Helper()
	body, _, _, err := s.core.GetObject(s.t.Context(), s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		s.t.Fatalf("get %q: %v", key, err)
	}
	defer func() { _ = body.Close() }()
	content, err := io.ReadAll(body)
	if err != nil {
		s.t.Fatalf("read %q: %v", key, err)
	}
	return string(content)
}

// keys lists what has a prefix, in the store's order.
func (s store) keys(prefix string, recursive bool, page int) []string {
	s.t.Helper()
	var keys []string
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: recursive, MaxKeys: page}
	for object := range s.core.Client.ListObjects(s.t.Context(), s.bucket, options) {
		if object.Err != nil {
			s.t.Fatalf("list %q: %v", prefix, object.Err)
		}
		keys = append(keys, object.Key)
	}
	return keys
}

// status is the HTTP status of an error, 0 of none.
func (s store) status(err error) int { return minio.ToErrorResponse(err).StatusCode }

func ifAbsent(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") }
func ifMatches(etag string) func(o *minio.PutObjectOptions) {
	return func(o *minio.PutObjectOptions) { o.SetMatchETag(etag) }
}

func TestConditionalPut(t *testing.T) {
	s := newStore(t)
	if _, err := s.put("created", "first", ifAbsent); err != nil {
		t.Fatalf("create of a new key: %v", err)
	}
	if _, err := s.put("created", "second", ifAbsent); s.status(err) != http.StatusPreconditionFailed {
		t.Errorf("create of a taken key: %v, want 412", err)
	}
	if got := s.get("created"); got != "first" {
		t.Errorf("the refused create left %q", got)
	}

	stale := s.mustPut("swapped", "first")
	if _, err := s.put("swapped", "second", ifMatches(stale)); err != nil {
		t.Fatalf("swap of the current object: %v", err)
	}
	if _, err := s.put("swapped", "third", ifMatches(stale)); s.status(err) != http.StatusPreconditionFailed {
		t.Errorf("swap of a stale object: %v, want 412", err)
	}
	if got := s.get("swapped"); got != "second" {
		t.Errorf("the refused swap left %q", got)
	}
	if _, err := s.put("missing", "x", ifMatches(stale)); s.status(err) != http.StatusNotFound {
		t.Errorf("swap of a missing object: %v, want 404", err)
	}
	if _, err := s.core.Client.StatObject(t.Context(), s.bucket, "missing", minio.StatObjectOptions{}); s.status(err) != http.StatusNotFound {
		t.Errorf("the refused swap made an object: %v", err)
	}
}

func TestConditionalPutAfterADelete(t *testing.T) {
	s := newStore(t)
	etag := s.mustPut("key", "first")
	if err := s.core.RemoveObject(t.Context(), s.bucket, "key", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.put("key", "x", ifMatches(etag)); s.status(err) != http.StatusNotFound {
		t.Errorf("swap of a deleted object: %v, want 404", err)
	}
	if _, err := s.put("key", "again", ifAbsent); err != nil {
		t.Errorf("create after a delete: %v", err)
	}
}

// Of writers that race for one version, exactly one wins: what the lake's commits rest on.
func TestConditionalPutHasOneWinner(t *testing.T) {
	const writers, rounds = 8, 10
	s := newStore(t)
	for _, kind := range []string{"create", "swap"} {
		t.Run(kind, func(t *testing.T) {
			for round := range rounds {
				key, condition := fmt.Sprintf("%s/%d", kind, round), ifAbsent
				if kind == "swap" {
					condition = ifMatches(s.mustPut(key, "base"))
				}
				errs := make([]error, writers)
				var wg sync.WaitGroup
				for i := range writers {
					wg.Go(func() { _, errs[i] = s.put(key, fmt.Sprint("writer ", i), condition) })
				}
				wg.Wait()
				s.onlyOneWon(t, key, errs)
			}
		})
	}
}

// onlyOneWon checks that one error is nil, the others are 409 or 412, and that the winner's bytes are there.
func (s store) onlyOneWon(t *testing.T, key string, errs []error) {
	t.Helper()
	winner := -1
	for i, err := range errs {
		switch code := s.status(err); {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Fatalf("%s: writers %d and %d both won", key, winner, i)
		case code != http.StatusPreconditionFailed && code != http.StatusConflict:
			t.Fatalf("%s: writer %d got %v, want 409 or 412", key, i, err)
		}
	}
	if winner < 0 {
		t.Fatalf("%s: nobody won: %v", key, errors.Join(errs...))
	}
	if got, want := s.get(key), fmt.Sprint("writer ", winner); got != want {
		t.Fatalf("%s holds %q, want the winner's %q", key, got, want)
	}
}

func TestOverwriteIsSeenAtOnce(t *testing.T) {
	s := newStore(t)
	previous := ""
	for i := range 20 {
		body := strings.Repeat("x", i)
		etag := s.mustPut("key", body)
		if etag == previous {
			t.Fatalf("version %d has the ETag of the one before", i)
		}
		previous = etag
		if got := s.get("key"); got != body {
			t.Fatalf("version %d: read %q", i, got)
		}
		info, err := s.core.Client.StatObject(t.Context(), s.bucket, "key", minio.StatObjectOptions{})
		if err != nil || info.ETag != etag || info.Size != int64(i) {
			t.Fatalf("version %d: stat %+v, %v", i, info, err)
		}
	}
}

func TestMultipartUpload(t *testing.T) {
	s := newStore(t)
	parts := [][]byte{noise(5<<20, 1), noise(5<<20, 2), noise(12345, 3)}
	upload := func() (id string, done []minio.CompletePart) {
		id, err := s.core.NewMultipartUpload(t.Context(), s.bucket, "large", minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, content := range parts {
			part, err := s.core.PutObjectPart(t.Context(), s.bucket, "large", id, i+1, bytes.NewReader(content), int64(len(content)), minio.PutObjectPartOptions{})
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, minio.CompletePart{PartNumber: i + 1, ETag: part.ETag})
		}
		return id, done
	}

	aborted, _ := upload()
	if got := s.keys("", true, 0); len(got) != 0 {
		t.Fatalf("an upload that goes on shows %q", got)
	}
	if err := s.core.AbortMultipartUpload(t.Context(), s.bucket, "large", aborted); err != nil {
		t.Fatal(err)
	}
	id, done := upload()
	if _, err := s.core.CompleteMultipartUpload(t.Context(), s.bucket, "large", id, done, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := s.get("large"); got != string(bytes.Join(parts, nil)) {
		t.Errorf("the object differs from its parts: %d bytes", len(got))
	}
	if got := s.keys("", true, 0); !slices.Equal(got, []string{"large"}) {
		t.Errorf("listing shows %q", got)
	}
}

// noise is n bytes that do not compress, the same for the same seed.
func noise(n int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, seed))
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	return content
}

func TestRangeReads(t *testing.T) {
	s := newStore(t)
	content := string(noise(100_000, 4))
	s.mustPut("object", content)
	for _, r := range []struct {
		start, end int64 // as SetRange: inclusive; 0, -n is the last n; n, 0 is all from n
		want       string
	}{
		{0, 9, content[:10]},
		{99_990, 99_999, content[99_990:]},
		{50_000, 50_000, content[50_000:50_001]},
		{0, -8, content[99_992:]}, // a Parquet reader's first request
		{99_000, 0, content[99_000:]},
		{99_999, 200_000, content[99_999:]},
	} {
		options := minio.GetObjectOptions{}
		if err := options.SetRange(r.start, r.end); err != nil {
			t.Fatal(err)
		}
		body, info, _, err := s.core.GetObject(t.Context(), s.bucket, "object", options)
		if err != nil {
			t.Errorf("range %d to %d: %v", r.start, r.end, err)
			continue
		}
		got, err := io.ReadAll(body)
		_ = body.Close()
		if err != nil || string(got) != r.want || info.Size != int64(len(r.want)) {
			t.Errorf("range %d to %d: %d bytes of size %d, %v, want %d bytes", r.start, r.end, len(got), info.Size, err, len(r.want))
		}
	}
	options := minio.GetObjectOptions{}
	options.Set("Range", "bytes=100000-100001")
	if _, _, _, err := s.core.GetObject(t.Context(), s.bucket, "object", options); s.status(err) != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("range behind the end: %v, want 416", err)
	}
}

func TestListPagesInOrder(t *testing.T) {
	s := newStore(t)
	var want []string
	for i := range 57 {
		want = append(want, fmt.Sprintf("lake/data/day=%02d/file-%03d.parquet", i%5, i))
	}
	for _, key := range append(slices.Clone(want), "lake/metadata/v1.metadata.json", "other") {
		s.mustPut(key, "x")
	}
	slices.Sort(want)
	for _, page := range []int{0, 1, 7, 1000} {
		if got := s.keys("lake/data/", true, page); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %d keys, want %d in order", page, len(got), len(want))
		}
	}
	if got := s.keys("lake/", false, 0); !slices.Equal(got, []string{"lake/data/", "lake/metadata/"}) {
		t.Errorf("folders of lake/: %q", got)
	}
	if got := s.keys("lake/metadata/v", true, 0); !slices.Equal(got, []string{"lake/metadata/v1.metadata.json"}) {
		t.Errorf("prefix inside a name: %q", got)
	}
	if got := s.keys("nothing/", true, 0); len(got) != 0 {
		t.Errorf("empty prefix: %q", got)
	}
}

func TestDelete(t *testing.T) {
	s := newStore(t)
	s.mustPut("a/b/c", "x")
	s.mustPut("a/b/d", "x")
	for range 2 { // the second time nothing is there, and that is no error
		if err := s.core.RemoveObject(t.Context(), s.bucket, "a/b/c", minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.core.Client.StatObject(t.Context(), s.bucket, "a/b/c", minio.StatObjectOptions{}); s.status(err) != http.StatusNotFound {
		t.Errorf("stat of a deleted object: %v, want 404", err)
	}
	if got := s.keys("", true, 0); !slices.Equal(got, []string{"a/b/d"}) {
		t.Errorf("left: %q", got)
	}
	many := make(chan minio.ObjectInfo, 2)
	many <- minio.ObjectInfo{Key: "a/b/d"}
	many <- minio.ObjectInfo{Key: "a/b/missing"}
	close(many)
	for failure := range s.core.RemoveObjects(t.Context(), s.bucket, many, minio.RemoveObjectsOptions{}) {
		t.Errorf("delete of many: %s: %v", failure.ObjectName, failure.Err)
	}
	if got := s.keys("", true, 0); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

func TestOddKeys(t *testing.T) {
	s := newStore(t)
	keys := []string{
		"with space", "plus+and&amp", "percent%20", "ümlaut/日本語/😀", "equals=sign/event_day=2026-11-23", "quote'\"", "hash#question?",
		"tilde~star*bang!", "semi;colon:at@", "dots..in.name", ".hidden", strings.Repeat("long", 50), "brackets[]{}()", "back\\slash", "<xml>&",
	}
	for _, key := range keys {
		s.mustPut(key, "content of "+key)
	}
	for _, key := range keys {
		if got := s.get(key); got != "content of "+key {
			t.Errorf("%q holds %q", key, got)
		}
	}
	got := s.keys("", true, 0)
	slices.Sort(keys)
	if !slices.Equal(got, keys) {
		t.Errorf("listing:\n got %q\nwant %q", got, keys)
	}
}

func TestMetadataAndEmptyObjects(t *testing.T) {
	s := newStore(t)
	_, err := s.put("key", "", func(o *minio.PutObjectOptions) {
		o.ContentType = "application/vnd.apache.parquet"
		o.UserMetadata = map[string]string{"Checkpoint": "42"}
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.core.Client.StatObject(t.Context(), s.bucket, "key", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if info.Size != 0 || info.ContentType != "application/vnd.apache.parquet" || info.UserMetadata["Checkpoint"] != "42" || info.LastModified.IsZero() {
		t.Errorf("stat: %+v", info)
	}
	if got := s.get("key"); got != "" {
		t.Errorf("content %q", got)
	}
}

func TestWrongKeysAreRefused(t *testing.T) {
	access := testkit.S3(t)
	access.SecretKey = "wrong"
	_, err := access.Client(t).ListBuckets(t.Context())
	if got := minio.ToErrorResponse(err).StatusCode; got != http.StatusForbidden {
		t.Fatalf("wrong secret: %v, want 403", err)
	}
}

// A refused or empty upload must not spoil the next request on its connection.
func TestConnectionIsUsableAfterEveryAnswer(t *testing.T) {
	s := newStore(t)
	s.mustPut("taken", "first")
	large := string(noise(1<<20, 5))
	for i := range 50 {
		if _, err := s.put("taken", large, ifAbsent); s.status(err) != http.StatusPreconditionFailed {
			t.Fatalf("round %d: create of a taken key: %v, want 412", i, err)
		}
		if got := s.get("taken"); got != "first" {
			t.Fatalf("round %d: taken holds %d bytes", i, len(got))
		}
		s.mustPut("empty", "")
		if got := s.get("empty"); got != "" {
			t.Fatalf("round %d: empty holds %q", i, got)
		}
	}
}
