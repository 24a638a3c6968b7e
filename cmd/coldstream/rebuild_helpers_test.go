package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// losemetadata DIR removes the manifest lists of the archive's table from a data folder that nothing runs from.
func cmdLoseMetadata(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: losemetadata DIR")
	}
	n := 0
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(filepath.Base(path), "snap-") && strings.HasSuffix(path, ".avro") {
			n++
			return os.RemoveAll(path)
		}
		return err
	})
	if err != nil || n == 0 {
		ts.Fatalf("%d manifest lists below %s: %v", n, args[0], err)
	}
}
