// Package mutants shows that a package's tests notice when a rule of its code is taken away: each mutant is one mistake, as
// a replacement in the source that only a test's own build sees (go test -overlay).
//
// [Try] is all there is. Ordinary runs only look whether every mutant can still be made; with COLDSTREAM_MUTANTS set each is
// built and the tests run on it, some ten seconds apiece, and one that no test notices is an error. `make mutants` does so.
package mutants

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Mutant is one mistake.
type Mutant struct {
	Rule     string // what the code is to see to
	File     string // below the module's root
	Old, New string // Old stands exactly once in the file
}

// Of is a mutant by the order of its fields.
func Of(rule, file, before, after string) Mutant { return Mutant{rule, file, before, after} }

// Try makes each mutant and runs the tests of a package, such as ./jobs/sweep, whose names match a pattern on it.
func Try(t *testing.T, pkg, tests string, all []Mutant) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("COLDSTREAM_MUTANTS") != "" {
		if out, err := run(root, "test", "-vet", "off", "-count", "1", "-timeout", "3m", "-run", tests, pkg); err != nil {
			t.Fatalf("the tests fail without a mutant: %v\n%s", err, out)
		}
	}
	for _, m := range all {
		t.Run(m.Rule, func(t *testing.T) {
			overlay, err := m.overlay(root, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("COLDSTREAM_MUTANTS") == "" {
				return
			}
			out, err := run(root, "build", "-overlay", overlay, pkg)
			if err != nil {
				t.Fatalf("it does not build: %v\n%s", err, out)
			}
			out, err = run(root, "test", "-vet", "off", "-overlay", overlay, "-count", "1", "-timeout", "3m", "-run", tests, pkg)
			var failed *exec.ExitError
			switch {
			case err == nil:
				t.Errorf("nobody noticed")
			case !errors.As(err, &failed):
				t.Fatal(err)
			default:
				t.Logf("noticed by %s", strings.Join(failures(out), ", "))
			}
		})
	}
}

// overlay writes the mutated file and the list by which the go command takes it for the real one.
func (m *Mutant) overlay(root, dir string) (string, error) {
	file := filepath.Join(root, filepath.FromSlash(m.File))
	doc, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(doc), m.Old); n != 1 {
		return "", fmt.Errorf("%s has %d times what is to be replaced: %s", m.File, n, m.Old)
	}
	mutated := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(doc), m.Old, m.New, 1)), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}

func run(root string, args ...string) (string, error) {
	cmd := exec.Command("go", args...) //nolint:gosec // the go command
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "COLDSTREAM_MUTANTS=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// failures are the tests that failed.
func failures(out string) (names []string) {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			names = append(names, name)
		}
	}
	return names
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
	}
	return "", err
}
