package testkit

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/coldstream/coldstream/embedded/objectstore"
)

// envS3 names a real store: host:port,key,secret.
const envS3 = "COLDSTREAM_TEST_S3"

// Account and region of the embedded store.
const (
	s3Key    = "coldstream"
	s3Secret = "coldstream-secret"
	s3Region = "us-east-1"
)

// S3Access is what a client needs to use one bucket.
type S3Access struct {
	Endpoint  string // host:port, plain HTTP
	AccessKey string
	SecretKey string
	Region    string
	Bucket    string
}

var s3 server[*objectstore.Store]

// S3 returns access to a fresh bucket on the object store that this test process shares. The embedded store runs in a
// child process, because it would change this one's working directory.
func S3(t testing.TB) S3Access {
	t.Helper()
	access := S3Access{AccessKey: s3Key, SecretKey: s3Secret, Region: s3Region, Bucket: Name(t)}
	if real := os.Getenv(envS3); real != "" {
		parts := strings.SplitN(real, ",", 3)
		if len(parts) != 3 {
			t.Fatalf("testkit: %s is not host:port,key,secret", envS3)
		}
		access.Endpoint, access.AccessKey, access.SecretKey = parts[0], parts[1], parts[2]
	} else {
		access.Endpoint = embeddedS3(t).Addr()
	}
	if err := access.Client(t).MakeBucket(t.Context(), access.Bucket, minio.MakeBucketOptions{Region: access.Region}); err != nil {
		t.Fatalf("testkit: make bucket %s: %v", access.Bucket, err)
	}
	return access
}

// RealS3 tells whether S3 is a real store rather than the embedded one.
func RealS3() bool { return os.Getenv(envS3) != "" }

// Client opens a client with the library's own retries off, so that a test sees each answer.
func (a S3Access) Client(t testing.TB) *minio.Client {
	t.Helper()
	c, err := minio.New(a.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(a.AccessKey, a.SecretKey, ""), Region: a.Region, MaxRetries: 1,
	})
	if err != nil {
		t.Fatalf("testkit: open S3 client: %v", err)
	}
	return c
}

func embeddedS3(t testing.TB) *objectstore.Store {
	t.Helper()
	return s3.get(t, "s3", func(dir string) (*objectstore.Store, func() error, error) {
		store, err := objectstore.StartChild(context.Background(), objectstore.Config{
			Dir: dir, AccessKey: s3Key, SecretKey: s3Secret, Region: s3Region, Log: quiet(),
		})
		if err != nil {
			return nil, nil, err
		}
		return store, store.Close, nil
	})
}
