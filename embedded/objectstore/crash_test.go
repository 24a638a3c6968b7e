package objectstore_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/dirlock"
	"github.com/coldstream/coldstream/internal/testkit"
)

// folders gives a data folder of each kind: with metadata in the file system's attributes, and beside the objects.
func folders(t *testing.T) map[string]string {
	t.Helper()
	sidecar := t.TempDir()
	if err := os.Mkdir(filepath.Join(sidecar, "sidecar"), 0o700); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"as the folder allows": t.TempDir(), "sidecar": sidecar}
}

func TestObjectsSurviveStopAndKill(t *testing.T) {
	for name, dir := range folders(t) {
		t.Run(name, func(t *testing.T) {
			p := serve(t, dir)
			s := p.bucket(t)
			etag := s.mustPut("lake/v1", "first")
			if _, err := s.put("lake/typed", "x", func(o *minio.PutObjectOptions) { o.ContentType = "text/csv" }); err != nil {
				t.Fatal(err)
			}
			for _, end := range []func(){func() { p.stop(t) }, func() { p.kill() }} {
				end()
				p = serve(t, dir)
				s = p.bucket(t)
				if got := s.get("lake/v1"); got != "first" {
					t.Errorf("content %q", got)
				}
				info, err := s.core.Client.StatObject(t.Context(), s.bucket, "lake/typed", minio.StatObjectOptions{})
				if err != nil || info.ContentType != "text/csv" {
					t.Errorf("stat: %+v, %v", info, err)
				}
			}
			if _, err := s.put("lake/v1", "x", ifAbsent); s.status(err) != http.StatusPreconditionFailed {
				t.Errorf("create of a key from before the kill: %v, want 412", err)
			}
			if _, err := s.put("lake/v1", "second", ifMatches(etag)); err != nil {
				t.Errorf("swap by an ETag from before the kill: %v", err)
			}
		})
	}
}

// gate is a body that gives its first half, tells so, and then waits.
type gate struct {
	first  io.Reader
	halted chan struct{}
	resume chan struct{}
	told   bool
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.first.Read(p)
	if err != io.EOF {
		return n, err
	}
	if !g.told {
		g.told = true
		close(g.halted)
	}
	<-g.resume
	return n, errors.New("the client was cut off")
}

func TestKillInMidUploadLeavesNothing(t *testing.T) {
	for name, dir := range folders(t) {
		t.Run(name, func(t *testing.T) {
			p := serve(t, dir)
			s := p.bucket(t)
			s.mustPut("kept", "before")
			const half = 4 << 20
			for _, key := range []string{"new", "kept"} {
				body := &gate{first: strings.NewReader(string(noise(half, 6))), halted: make(chan struct{}), resume: make(chan struct{})}
				done := make(chan error, 1)
				go func() {
					_, err := s.core.Client.PutObject(t.Context(), s.bucket, key, body, 2*half, minio.PutObjectOptions{DisableMultipart: true})
					done <- err
				}()
				<-body.halted
				p.kill()
				close(body.resume)
				if err := <-done; err == nil {
					t.Fatal("the upload that was cut off succeeded")
				}
				p = serve(t, dir)
				s = p.bucket(t)
			}
			if got := s.keys("", true, 0); !slices.Equal(got, []string{"kept"}) {
				t.Errorf("listing shows %q", got)
			}
			if got := s.get("kept"); got != "before" {
				t.Errorf("the object that was being overwritten has %d bytes", len(got))
			}
			if _, err := s.put("new", "x", ifAbsent); err != nil {
				t.Errorf("create after the kill: %v", err)
			}
		})
	}
}

func TestFullDiskIsACleanError(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	p := serve(t, dir)
	s := p.bucket(t)
	s.mustPut("small", "x")
	if _, err := s.put("large", string(noise(12<<20, 7)), nil); s.status(err) < 500 {
		t.Errorf("12 MiB on a disk of 8: %v, want a 5xx", err)
	}
	if _, err := s.core.Client.StatObject(t.Context(), s.bucket, "large", minio.StatObjectOptions{}); s.status(err) != http.StatusNotFound {
		t.Errorf("the refused object is there: %v", err)
	}
	if got := s.get("small"); got != "x" {
		t.Errorf("small holds %q", got)
	}
	if err := s.core.RemoveObject(t.Context(), s.bucket, "small", minio.RemoveObjectOptions{}); err != nil {
		t.Errorf("delete: %v", err)
	}
	s.mustPut("again", "y") // there is room for small ones still
	p.stop(t)
}

func TestFolderIsHeldByOneStore(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	cfg := objectstore.Config{Dir: dir, AccessKey: accessKey, SecretKey: secretKey}
	if _, err := objectstore.Start(t.Context(), cfg); !errors.Is(err, dirlock.ErrHeld) {
		t.Fatalf("second store on one folder: %v, want ErrHeld", err)
	}
	p.kill()
	p = serve(t, dir) // the killed process left no lock
	p.stop(t)
}

func TestStartReportsWhatIsWrong(t *testing.T) {
	_, err := objectstore.Start(t.Context(), objectstore.Config{Addr: "nonsense"})
	for _, want := range []string{"Dir", "AccessKey", "SecretKey", "Addr"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not speak of %s", err, want)
		}
	}
	p := serve(t, t.TempDir())
	cfg := objectstore.Config{Dir: t.TempDir(), Addr: p.access.Endpoint, AccessKey: accessKey, SecretKey: secretKey}
	for name, start := range map[string]func() (*objectstore.Store, error){
		"here":       func() (*objectstore.Store, error) { return objectstore.Start(t.Context(), cfg) },
		"in a child": func() (*objectstore.Store, error) { return objectstore.StartChild(t.Context(), cfg) },
	} {
		if _, err := start(); err == nil || !strings.Contains(err.Error(), p.access.Endpoint+" is in use") {
			t.Errorf("%s: start on a taken port: %v", name, err)
		}
	}
}

func TestChildEndsAndSaysSo(t *testing.T) {
	cfg := objectstore.Config{Dir: t.TempDir(), AccessKey: accessKey, SecretKey: secretKey}
	s, err := objectstore.StartChild(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	<-s.Done()
	if err := s.Err(); err != nil {
		t.Errorf("reason for the end: %v", err)
	}
	again, err := objectstore.StartChild(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start on the same folder: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	dir := t.TempDir()
	parent := serveAs(t, parentDirEnv, dir)
	parent.bucket(t).mustPut("key", "x")
	parent.kill()
	testkit.Eventually(t, 20*time.Second, func() error {
		conn, err := net.Dial("tcp", parent.access.Endpoint)
		if err != nil {
			return nil
		}
		_ = conn.Close()
		return errors.New("the killed parent's child still listens")
	})
	p := serve(t, dir) // and it left no lock
	if got := p.bucket(t).get("key"); got != "x" {
		t.Errorf("content %q", got)
	}
}
