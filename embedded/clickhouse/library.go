package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Version is the libchdb release that this package is written for.
const Version = "26.7.3-stable.1"

// LibraryEnv names the environment variable that gives the path of a libchdb.so that is already there.
const LibraryEnv = "COLDSTREAM_LIBCHDB"

// ErrNoLibrary is returned by FindLibrary where there is none.
var ErrNoLibrary = errors.New("libchdb is not on this machine")

// FindLibrary returns the path of libchdb.so: what COLDSTREAM_LIBCHDB names, else the one in the user's cache folder.
// Its error wraps ErrNoLibrary and says how to get it.
func FindLibrary() (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%w: %s=%s: %w", ErrNoLibrary, LibraryEnv, path, err)
		}
		return path, nil
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "libchdb.so")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: no %s; `coldstream up` or `make libchdb` fetches it, or set %s to one of version %s",
			ErrNoLibrary, path, LibraryEnv, Version)
	}
	return path, nil
}

// cacheDir is where this version's library is kept, shared by every checkout of a user.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder for libchdb: %w", err)
	}
	return filepath.Join(base, "coldstream", "libchdb", Version), nil
}

// supported says whether this platform has a library.
func supported() error {
	if runtime.GOOS != "linux" || (runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64") {
		return fmt.Errorf("the embedded ClickHouse runs on Linux with glibc (amd64), not on %s/%s; use a running server instead",
			runtime.GOOS, runtime.GOARCH)
	}
	return nil
}
