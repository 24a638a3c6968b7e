package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/coldstream/coldstream/internal/dirlock"
)

// Instance is a worker's identity: stable across restarts, held by one process at a time.
type Instance struct {
	ID   string
	lock *dirlock.Lock
}

// OpenInstance reads the identity kept in dir, or makes one, and locks dir until Close. Errors: dirlock.ErrHeld when
// another process works from it, and those of the file system. No one else may lock dir itself.
func OpenInstance(dir string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make worker folder: %w", err)
	}
	lock, err := dirlock.Acquire(dir)
	if err != nil {
		return nil, err
	}
	id, err := instanceID(filepath.Join(dir, "instance"))
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return &Instance{ID: id, lock: lock}, nil
}

// TransactionalID is the id for the group's transactions.
func (i *Instance) TransactionalID(group string) string { return group + "-" + i.ID }

// Close lets another process take the identity.
func (i *Instance) Close() error { return i.lock.Release() }

func instanceID(path string) (string, error) {
	old, err := os.ReadFile(path)
	if err == nil {
		id, err := uuid.Parse(string(old))
		if err != nil {
			return "", fmt.Errorf("worker identity %s is damaged, delete the file to get a new one: %w", path, err)
		}
		return id.String(), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read worker identity: %w", err)
	}
	id := uuid.NewString()
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(id), 0o600); err != nil {
		return "", fmt.Errorf("write worker identity: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", fmt.Errorf("write worker identity: %w", err)
	}
	return id, nil
}
