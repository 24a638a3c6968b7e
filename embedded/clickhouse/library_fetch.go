package clickhouse

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// npmPackage is where a platform's library comes from. sha512 is the tarball's, base64; "" where this package has never
// been tried.
type npmPackage struct{ name, sha512 string }

var npmPackages = map[string]npmPackage{
	"amd64": {"@chdb/lib-linux-x64-gnu", "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="},
}

// FetchLibrary downloads libchdb (178 MB) through the machine's npm, checks it and leaves it in the user's cache folder.
// progress, which may be nil, is called now and then with the bytes that have come and how many there are (0 until that is
// known). It returns the library's path; one that is already there is not fetched again. Processes wait for one another.
func FetchLibrary(ctx context.Context, progress func(done, total int64)) (string, error) {
	if found, err := FindLibrary(); err == nil || os.Getenv(LibraryEnv) != "" {
		return found, err
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	return fetchInto(ctx, dir, progress)
}

// fetchInto fetches this platform's library into dir unless it is there.
func fetchInto(ctx context.Context, dir string, progress func(done, total int64)) (string, error) {
	pack, ok := npmPackages[runtime.GOARCH]
	if !ok || runtime.GOOS != "linux" {
		return "", fmt.Errorf("fetch libchdb: %s/%s is untried; set %s to a libchdb.so of version %s, or use a running ClickHouse server",
			runtime.GOOS, runtime.GOARCH, LibraryEnv, Version)
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("fetch libchdb: npm is needed and not on this machine: install Node.js, or set %s to a libchdb.so of version %s", LibraryEnv, Version)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	unlock, err := lockFetch(ctx, filepath.Join(dir, "fetch.lock"))
	if err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	defer unlock()
	target := filepath.Join(dir, "libchdb.so")
	if _, err := os.Stat(target); err == nil {
		return target, nil // another process was faster
	}
	work, err := os.MkdirTemp(dir, "fetch-*")
	if err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	defer os.RemoveAll(work)
	tarball, err := npmPack(ctx, npm, pack, work, progress)
	if err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	if err := unpack(tarball, pack.sha512, filepath.Join(work, "libchdb.so")); err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	if err := os.Rename(filepath.Join(work, "libchdb.so"), target); err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	return target, nil
}

// lockFetch takes the lock file and returns what lets it go.
func lockFetch(ctx context.Context, name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("wait for another fetch (%s): %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}

// npmPack lets npm download the package's tarball into dir.
func npmPack(ctx context.Context, npm string, pack npmPackage, dir string, progress func(done, total int64)) (string, error) {
	spec := pack.name + "@" + Version
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--pack-destination", dir, spec)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	stop := watchSize(dir, progress)
	err := cmd.Run()
	stop()
	if err != nil {
		return "", fmt.Errorf("npm pack %s: %w: %s", spec, err, bytes.TrimSpace(said.Bytes()))
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if len(found) != 1 {
		return "", fmt.Errorf("npm pack %s left %d tarballs, not one", spec, len(found))
	}
	return found[0], nil
}

// watchSize reports, once a second, how large the tarball in dir has grown; npm itself reports nothing.
func watchSize(dir string, progress func(done, total int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				progress(sizeOf(dir), tarballSize)
			}
		}
	}()
	return func() { close(end); <-ended; progress(tarballSize, tarballSize) }
}

// tarballSize is about what comes over the network, in bytes.
const tarballSize = 177_817_999

func sizeOf(dir string) (size int64) {
	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
	for _, name := range found {
		if info, err := os.Stat(name); err == nil {
			size += info.Size()
		}
	}
	return size
}

// unpack checks the tarball's SHA-512 and writes its libchdb.so to target, which appears only when it is whole.
func unpack(tarball, want, target string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return fmt.Errorf("read %s: %w", tarball, err)
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-512 %s, not %s: it is not the file that this version was tried with", filepath.Base(tarball), got, want)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", tarball, err)
	}
	for entries := tar.NewReader(zipped); ; {
		entry, err := entries.Next()
		if err != nil {
			return fmt.Errorf("unpack %s: no libchdb.so in it: %w", tarball, err)
		}
		if entry.Typeflag == tar.TypeReg && path.Base(entry.Name) == "libchdb.so" {
			return writeWhole(target, entries)
		}
	}
}

func writeWhole(target string, from io.Reader) error {
	out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	return nil
}
