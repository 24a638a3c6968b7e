package objects

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/minio/minio-go/v7"
)

// FS is the store as an iceberg-go file system. Names are s3:// addresses (Store.URI). It holds the context
// that its requests run under, because iceberg-go's interface has none: make one for each operation.
type FS struct {
	ctx   context.Context
	store *Store
}

var (
	_ iceio.WriteFileIO = FS{}
	_ iceio.ReadFileIO  = FS{}
)

// FS gives a file system whose requests end with ctx.
func (s *Store) FS(ctx context.Context) FS { return FS{ctx: ctx, store: s} }

// Open opens an object: sequential reads are one stream, ReadAt is a ranged request.
func (f FS) Open(name string) (iceio.File, error) {
	key, err := f.store.Key(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	o, err := f.store.client.GetObject(f.ctx, f.store.cfg.Bucket, f.store.full(key), minio.GetObjectOptions{})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: f.store.wrap("open", key, err)}
	}
	return &file{Object: o, ctx: f.ctx, store: f.store, key: key}, nil
}

// ReadFile reads a whole object.
func (f FS) ReadFile(name string) ([]byte, error) {
	key, err := f.store.Key(name)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	b, _, err := f.store.Get(f.ctx, key)
	return b, err
}

// Create gives a writer that puts the object when it is closed.
func (f FS) Create(name string) (iceio.FileWriter, error) {
	key, err := f.store.Key(name)
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: err}
	}
	return &writer{fs: f, key: key}, nil
}

// WriteFile puts an object.
func (f FS) WriteFile(name string, p []byte) error {
	key, err := f.store.Key(name)
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	_, err = f.store.Put(f.ctx, key, p)
	return err
}

// Remove refuses: only sweep deletes what belongs to a table, and it does not go through iceberg-go.
func (f FS) Remove(name string) error {
	return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrPermission}
}

type file struct {
	*minio.Object
	ctx   context.Context
	store *Store
	key   string
}

// Stat asks the store, because minio's object gives the size of what it last read.
func (f *file) Stat() (fs.FileInfo, error) {
	info, err := f.store.Head(f.ctx, f.key)
	if err != nil {
		return nil, err
	}
	return fileInfo{info}, nil
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.Object.Read(p)
	return n, f.wrap(err)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.Object.ReadAt(p, off)
	return n, f.wrap(err)
}

func (f *file) wrap(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // io.Reader's contract wants io.EOF itself
		return err
	}
	return f.store.wrap("read", f.key, err)
}

type writer struct {
	bytes.Buffer
	fs  FS
	key string
}

func (w *writer) Close() error {
	_, err := w.fs.store.Put(w.fs.ctx, w.key, w.Bytes())
	return err
}

type fileInfo struct{ Info }

func (i fileInfo) Name() string       { return path.Base(i.Key) }
func (i fileInfo) Size() int64        { return i.Info.Size }
func (i fileInfo) Mode() fs.FileMode  { return 0o444 }
func (i fileInfo) ModTime() time.Time { return i.Modified }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
