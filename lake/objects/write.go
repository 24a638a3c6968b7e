package objects

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"
)

const (
	binaryType = "application/octet-stream"
	jsonType   = "application/json"
)

// Put writes an object, whatever was there before, and may write it more than once: use it for names that
// are never used for other bytes.
func (s *Store) Put(ctx context.Context, key string, body []byte) (Info, error) {
	return s.Upload(ctx, key, bytes.NewReader(body), int64(len(body)))
}

// Upload writes an object of size bytes from r, in parts where it is large. A reader that can seek is repeated
// from its start after an error. The object is there whole or not at all.
func (s *Store) Upload(ctx context.Context, key string, r io.Reader, size int64) (Info, error) {
	up, err := s.client.PutObject(ctx, s.cfg.Bucket, s.full(key), r, size,
		minio.PutObjectOptions{ContentType: binaryType})
	if err != nil {
		return Info{}, s.wrap("put", key, err)
	}
	return Info{Key: key, Size: up.Size, ETag: up.ETag, Modified: up.LastModified}, nil
}

// PutIfAbsent writes an object if there is none (If-None-Match: *), with one request. ErrPrecondition: there is
// one. Any other error but ErrDenied leaves open whether the object was, or will yet be, written.
func (s *Store) PutIfAbsent(ctx context.Context, key string, body []byte) (Info, error) {
	opts := minio.PutObjectOptions{ContentType: jsonType, DisableMultipart: true}
	opts.SetMatchETagExcept("*")
	return s.putOnce(ctx, key, body, opts)
}

// PutIfMatch replaces the object that has this ETag, with one request. ErrPrecondition: it has another;
// ErrNotFound: there is none. Any other error but ErrDenied leaves open whether it was replaced.
func (s *Store) PutIfMatch(ctx context.Context, key, etag string, body []byte) (Info, error) {
	opts := minio.PutObjectOptions{ContentType: jsonType, DisableMultipart: true}
	opts.SetMatchETag(etag)
	return s.putOnce(ctx, key, body, opts)
}

func (s *Store) putOnce(ctx context.Context, key string, body []byte, opts minio.PutObjectOptions) (Info, error) {
	ctx, stop := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer stop()
	up, err := s.once.PutObject(ctx, s.cfg.Bucket, s.full(key), bytes.NewReader(body), int64(len(body)), opts)
	if err != nil {
		return Info{}, s.wrap("put conditionally", key, err)
	}
	return Info{Key: key, Size: up.Size, ETag: up.ETag, Modified: up.LastModified}, nil
}

// ErrUnfit says that the store does not do conditional writes as the lake needs them.
var ErrUnfit = errors.New("the object store does not honour conditional writes (If-None-Match, If-Match on PUT); " +
	"two committers could overwrite one another: use MinIO, AWS S3 or another store that does")

// Probe writes two small objects below .probe to see that the store honours conditional writes, and removes them. An error
// that is ErrUnfit is final, any other says that the store could not be asked.
func (s *Store) Probe(ctx context.Context) error {
	key := ".probe/" + rand.Text()
	first, err := s.PutIfAbsent(ctx, key, []byte("1"))
	if err != nil {
		return fmt.Errorf("probe conditional writes: %w", err)
	}
	defer s.Remove(context.WithoutCancel(ctx), key) //nolint:errcheck // a left-over probe harms nobody
	if _, err = s.PutIfAbsent(ctx, key, []byte("2")); !errors.Is(err, ErrPrecondition) {
		return unfit("a second PUT with If-None-Match: *", err)
	}
	second, err := s.PutIfMatch(ctx, key, first.ETag, []byte("three"))
	if err != nil {
		return unfit("a PUT with the current ETag in If-Match", err)
	}
	if _, err = s.PutIfMatch(ctx, key, first.ETag, []byte("4")); !errors.Is(err, ErrPrecondition) {
		return unfit("a PUT with a stale ETag in If-Match", err)
	}
	got, info, err := s.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("probe conditional writes: %w", err)
	}
	if string(got) != "three" || info.ETag != second.ETag {
		return unfit("reading back what was written", nil)
	}
	return nil
}

func unfit(what string, err error) error {
	if err == nil {
		return fmt.Errorf("probe conditional writes: %s was not answered as it should: %w", what, ErrUnfit)
	}
	return fmt.Errorf("probe conditional writes: %s: %w: %w", what, err, ErrUnfit)
}
