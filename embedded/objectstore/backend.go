package objectstore

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"golang.org/x/sys/unix"
)

const (
	// objectsDir holds a folder per bucket and a file per object.
	objectsDir = "objects"
	// sidecarDir holds ETags and other metadata where the file system has no user attributes. Its presence decides at
	// later starts, because metadata never moves from one place to the other.
	sidecarDir = "sidecar"
	// probeAttr and probeSize: an attribute as large as the store may need for one object.
	probeAttr = "user.coldstream.probe"
	probeSize = 1024
)

// openBackend opens the folder of dir. It changes the working directory of the process: see the package comment.
func openBackend(dir string, log *slog.Logger) (backend.Backend, error) {
	objects, sidecar := filepath.Join(dir, objectsDir), filepath.Join(dir, sidecarDir)
	if err := os.MkdirAll(objects, 0o700); err != nil {
		return nil, fmt.Errorf("create objects folder: %w", err)
	}
	needed, err := needsSidecar(objects, sidecar)
	if err != nil {
		return nil, err
	}
	if !needed {
		return posix.New(objects, meta.XattrMeta{}, posix.PosixOpts{})
	}
	log.Info("objectstore: no user attributes on this file system, metadata goes to a folder", "folder", sidecar)
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, fmt.Errorf("create metadata folder: %w", err)
	}
	storer, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, fmt.Errorf("open metadata folder: %w", err)
	}
	return posix.New(objects, storer, posix.PosixOpts{})
}

// needsSidecar tells whether metadata must go to a folder of its own.
func needsSidecar(objects, sidecar string) (bool, error) {
	_, err := os.Stat(sidecar)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("stat metadata folder: %w", err)
	}
	probe, err := os.CreateTemp(filepath.Dir(objects), ".probe-*")
	if err != nil {
		return false, fmt.Errorf("create probe file: %w", err)
	}
	defer func() { _ = os.Remove(probe.Name()) }()
	defer func() { _ = probe.Close() }()
	return unix.Fsetxattr(int(probe.Fd()), probeAttr, make([]byte, probeSize), 0) != nil, nil
}
