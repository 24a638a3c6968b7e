// Package dirlock keeps a data folder to one process at a time.
//
// The lock is flock(2) on a file inside the folder: the system drops it with the process, so a killed process leaves
// none behind and nobody has to judge whether a lock file is stale. It does not work across machines on every network
// file system, and it will not protect against a program that does not ask.
package dirlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fileName is the lock file inside the folder. It stays after release: removing it would let two processes lock two
// files of the same name.
const fileName = ".lock"

// ErrHeld means that another process (or another Acquire in this one) holds the folder.
var ErrHeld = errors.New("data folder is in use")

// Lock is a held folder. Release may be called once.
type Lock struct{ file *os.File }

// Acquire locks dir, which must exist, without waiting. The error of a folder that is held wraps ErrHeld and names the
// process.
func Acquire(dir string) (*Lock, error) {
	path := filepath.Join(dir, fileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock %s: %w", path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		owner, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, fmt.Errorf("%w: %s by process %s", ErrHeld, dir, ownerText(owner))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := writeOwner(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write owner of %s: %w", path, err)
	}
	return &Lock{file: f}, nil
}

// Release gives the folder back.
func (l *Lock) Release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release lock %s: %w", l.file.Name(), err)
	}
	return nil
}

func writeOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func ownerText(content []byte) string {
	if text := strings.TrimSpace(string(content)); text != "" {
		return text
	}
	return "unknown"
}
