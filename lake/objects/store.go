// Package objects is the object store under the lake: any S3 that honours conditional writes, through minio-go.
//
// Store is one bucket (and prefix) with the few requests that the lake needs; FS makes it an iceberg-go file
// system, so that no second SDK is in the binary. Requests that may be repeated are repeated by the client;
// conditional writes never are, because after a repeat nobody can tell one's own success from another's.
// Errors are wrapped with operation, bucket and key; branch on ErrNotFound, ErrNoBucket,
// ErrPrecondition and ErrDenied.
// The package deletes only what Remove is told to.
package objects

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

var (
	// ErrNotFound says that the object does not exist.
	ErrNotFound = errors.New("no such object")
	// ErrNoBucket says that the bucket does not exist.
	ErrNoBucket = errors.New("no such bucket: `coldstream init` makes it")
	// ErrPrecondition says that the store refused a conditional write: someone else was there before.
	ErrPrecondition = errors.New("precondition failed")
	// ErrDenied says that the store refused the credentials or the permission; nothing was written.
	ErrDenied = errors.New("access denied")
)

// Config says where the objects are.
type Config struct {
	Endpoint  string // host:port (plain HTTP) or a URL, http or https
	Region    string // "" means us-east-1
	AccessKey string
	SecretKey string
	Keys      *credentials.Credentials // where keys come from that are not given; nil: AccessKey and SecretKey
	RootCAs   *x509.CertPool           // whom https trusts; nil: whom the system does. Not for a Transport of the caller's
	Bucket    string
	Prefix    string // folder inside the bucket, "" for its root; no slash needed at either end

	// Retries is how often a repeatable request is tried, at most; 0 means 5. Conditional writes: once, always.
	Retries int
	// WriteTimeout ends a conditional write whose answer does not come; 0 means 20 s.
	WriteTimeout time.Duration
	// Transport carries the requests, nil for the default one. Tests put faults here.
	Transport http.RoundTripper
}

// Store is one bucket and prefix. It may be used by many goroutines and needs no closing.
type Store struct {
	cfg    Config
	client *minio.Client // repeats what may be repeated
	once   *minio.Client // never repeats
}

// Info describes an object.
type Info struct {
	Key      string // below the store's prefix
	Size     int64
	ETag     string // without quotes; opaque
	Modified time.Time
}

// Open checks cfg and makes the clients. It does no I/O: see EnsureBucket and Probe.
func Open(cfg Config) (*Store, error) {
	host, secure, err := endpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	if cfg.Bucket == "" {
		return nil, errors.New("object store: no bucket configured (s3.bucket)")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Retries == 0 {
		cfg.Retries = 5
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 20 * time.Second
	}
	cfg.Prefix = strings.Trim(cfg.Prefix, "/")
	s := &Store{cfg: cfg}
	if s.client, err = newClient(cfg, host, secure, cfg.Retries); err != nil {
		return nil, err
	}
	if s.once, err = newClient(cfg, host, secure, 1); err != nil {
		return nil, err
	}
	return s, nil
}

func newClient(cfg Config, host string, secure bool, retries int) (*minio.Client, error) {
	keys := cfg.Keys
	if keys == nil {
		keys = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	}
	if secure && cfg.Transport == nil && cfg.RootCAs != nil {
		t, err := minio.DefaultTransport(secure)
		if err != nil {
			return nil, fmt.Errorf("object store at %q: %w", cfg.Endpoint, err)
		}
		t.TLSClientConfig.RootCAs = cfg.RootCAs
		cfg.Transport = t
	}
	c, err := minio.New(host, &minio.Options{
		Creds:        keys,
		Secure:       secure,
		Region:       cfg.Region,
		Transport:    cfg.Transport,
		MaxRetries:   retries,
		BucketLookup: minio.BucketLookupAuto,
	})
	if err != nil {
		return nil, fmt.Errorf("object store at %q: %w", cfg.Endpoint, err)
	}
	return c, nil
}

func endpoint(text string) (host string, secure bool, err error) {
	if text == "" {
		return "", false, errors.New("object store: no endpoint configured (s3.endpoint)")
	}
	if !strings.Contains(text, "://") {
		return text, false, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
		return "", false, fmt.Errorf("object store: endpoint %q is neither host:port nor http(s)://host[:port]", text)
	}
	return u.Host, u.Scheme == "https", nil
}

// Config gives the configuration with its defaults filled in.
func (s *Store) Config() Config { return s.cfg }

// BaseURL gives the HTTP URL of the folder key, as engines that speak S3 by URL want it.
func (s *Store) BaseURL(key string) string {
	u := *s.client.EndpointURL()
	u.Path = "/" + path.Join(s.cfg.Bucket, s.cfg.Prefix, key) + "/"
	return u.String()
}

// URI gives the s3:// address of a key, as it stands in Iceberg's metadata.
func (s *Store) URI(key string) string { return "s3://" + path.Join(s.cfg.Bucket, s.full(key)) }

// Key is the inverse of URI. It refuses addresses outside the store.
func (s *Store) Key(uri string) (string, error) {
	root := "s3://" + s.cfg.Bucket + "/"
	if s.cfg.Prefix != "" {
		root += s.cfg.Prefix + "/"
	}
	key, ok := strings.CutPrefix(uri, root)
	if !ok || key == "" {
		return "", fmt.Errorf("%q is not below %s", uri, root)
	}
	return key, nil
}

func (s *Store) full(key string) string { return path.Join(s.cfg.Prefix, key) }

// EnsureBucket makes the bucket unless it is there.
func (s *Store) EnsureBucket(ctx context.Context) error {
	ok, err := s.client.BucketExists(ctx, s.cfg.Bucket)
	if err != nil {
		return s.wrap("look for bucket", "", err)
	}
	if ok {
		return nil
	}
	err = s.client.MakeBucket(ctx, s.cfg.Bucket, minio.MakeBucketOptions{Region: s.cfg.Region})
	switch minio.ToErrorResponse(err).Code {
	case "BucketAlreadyOwnedByYou", "BucketAlreadyExists":
		return nil
	}
	return s.wrap("make bucket", "", err)
}

// Get reads a whole object. The Info's ETag is the one of the bytes returned.
func (s *Store) Get(ctx context.Context, key string) ([]byte, Info, error) {
	return s.get(ctx, key, minio.GetObjectOptions{})
}

// GetRange reads length bytes from off; fewer are an error.
func (s *Store) GetRange(ctx context.Context, key string, off, length int64) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	opts := minio.GetObjectOptions{}
	if err := opts.SetRange(off, off+length-1); err != nil {
		return nil, s.wrap("get range of", key, err)
	}
	b, _, err := s.get(ctx, key, opts)
	if err == nil && int64(len(b)) != length {
		err = s.wrap("get range of", key, io.ErrUnexpectedEOF)
	}
	return b, err
}

func (s *Store) get(ctx context.Context, key string, opts minio.GetObjectOptions) ([]byte, Info, error) {
	core := minio.Core{Client: s.client}
	body, info, _, err := core.GetObject(ctx, s.cfg.Bucket, s.full(key), opts)
	if err != nil {
		return nil, Info{}, s.wrap("get", key, err)
	}
	defer body.Close()
	buf := bytes.NewBuffer(make([]byte, 0, max(info.Size, 0)+bytes.MinRead))
	n, err := buf.ReadFrom(body)
	if err == nil && info.Size >= 0 && n != info.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, Info{}, s.wrap("get", key, err)
	}
	return buf.Bytes(), s.info(info, key), nil
}

// Head describes an object without reading it.
func (s *Store) Head(ctx context.Context, key string) (Info, error) {
	info, err := s.client.StatObject(ctx, s.cfg.Bucket, s.full(key), minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.wrap("head", key, err)
	}
	return s.info(info, key), nil
}

// List walks the objects below the folder key, in the order of their keys. The first error ends it.
func (s *Store) List(ctx context.Context, folder string) iter.Seq2[Info, error] {
	prefix := s.full(folder) + "/"
	return func(yield func(Info, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		opts := minio.ListObjectsOptions{Prefix: prefix, Recursive: true}
		for o := range s.client.ListObjects(ctx, s.cfg.Bucket, opts) {
			if o.Err != nil {
				yield(Info{}, s.wrap("list", folder, o.Err))
				return
			}
			key := strings.TrimPrefix(strings.TrimPrefix(o.Key, s.cfg.Prefix), "/")
			if !yield(s.info(o, key), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Info{}, s.wrap("list", folder, err))
		}
	}
}

// Remove deletes an object; one that is not there is no error.
func (s *Store) Remove(ctx context.Context, key string) error {
	return s.wrap("remove", key, s.client.RemoveObject(ctx, s.cfg.Bucket, s.full(key), minio.RemoveObjectOptions{}))
}

func (s *Store) info(o minio.ObjectInfo, key string) Info {
	return Info{Key: key, Size: o.Size, ETag: strings.Trim(o.ETag, `"`), Modified: o.LastModified}
}

// wrap adds operation, bucket and key, and the sentinel by which callers branch.
func (s *Store) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	at := op + " s3://" + path.Join(s.cfg.Bucket, s.full(key))
	r := minio.ToErrorResponse(err)
	switch {
	case r.StatusCode == http.StatusPreconditionFailed || r.Code == minio.PreconditionFailed:
		return fmt.Errorf("%s: %w", at, ErrPrecondition)
	case r.Code == minio.NoSuchBucket:
		return fmt.Errorf("%s: %w", at, ErrNoBucket)
	case r.Code == "XAdminUserNotFound": // with 404, versitygw's (the embedded store's) for an access key that it does not know
		return fmt.Errorf("%s: %w: %w", at, ErrDenied, err)
	case r.Code == minio.NoSuchKey || r.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", at, ErrNotFound)
	case r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w: %w", at, ErrDenied, err)
	}
	return fmt.Errorf("%s: %w", at, err)
}
