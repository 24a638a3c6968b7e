package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// mutant is a mistake in the protocol, as replacements in the source that only a build of the runner's sees. It is there to
// show that the runner would notice.
type mutant struct {
	name  string
	what  string
	edits []edit
	kinds []string // of faults that bring it to light
}

type edit struct{ file, old, new string }

// overlayOf writes the mutated files and the list by which the go command takes them for the real ones.
func overlayOf(root, dir, name string) (string, error) {
	for i := range mutants {
		if mutants[i].name == name {
			return mutants[i].overlay(root, dir)
		}
	}
	return "", fmt.Errorf("no mutant is called %q: see `chaos mutants --list`", name)
}

func (m *mutant) overlay(root, dir string) (string, error) {
	files, err := m.apply(root)
	if err != nil {
		return "", err
	}
	list := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range files {
		path := filepath.Join(dir, "mutant-"+strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
		list.Replace[filepath.Join(root, file)] = path
	}
	doc, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, doc, 0o644)
}

// apply gives the mutated files. What is replaced must stand exactly once where it is looked for.
func (m *mutant) apply(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		text, ok := files[e.file]
		if !ok {
			doc, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(doc)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("mutant %s: %s has %d times what is to be replaced: %s", m.name, e.file, n, e.old)
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}

func mutantsCommand() *cobra.Command {
	var list bool
	var only []string
	var log string
	var seed uint64
	var within time.Duration
	c := &cobra.Command{
		Use: "mutants", Short: "Build mistakes into the protocol, one at a time, and see which the runner notices", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				for _, m := range mutants {
					say("%-24s %s", m.name, m.what)
				}
				return nil
			}
			return tryMutants(cmd.Context(), only, log, seed, within)
		},
	}
	f := c.Flags()
	f.BoolVar(&list, "list", false, "only say which there are")
	f.StringSliceVar(&only, "only", nil, "names of mutants (default all)")
	f.StringVar(&log, "log", "chaos.jsonl", "file to which the runs' lines are added")
	f.Uint64Var(&seed, "seed", 1, "of the plans")
	f.DurationVar(&within, "within", 3*time.Minute, "how long each may stay unnoticed")
	return c
}

// tryMutants runs each mutant until something is found wrong. It fails if one is not noticed.
func tryMutants(ctx context.Context, only []string, log string, seed uint64, within time.Duration) error {
	var missed []string
	var table []string
	for _, m := range mutants {
		if len(only) > 0 && !strings.Contains(","+strings.Join(only, ",")+",", ","+m.name+",") {
			continue
		}
		say("\n== mutant %s: %s", m.name, m.what)
		begin := time.Now()
		found, err := tryMutant(ctx, &m, options{
			n: 400, round: 12, world: 400, seed: seed, within: within, gap: 1500 * time.Millisecond, rate: 120, log: log, kinds: m.kinds, mutant: m.name,
		})
		if err != nil {
			return err
		}
		verdict := found
		if found == "" {
			verdict = "NOT NOTICED"
			missed = append(missed, m.name)
		}
		table = append(table, fmt.Sprintf("| %s | %s | %s | %s |", m.name, m.what, verdict, time.Since(begin).Round(time.Second)))
	}
	say("\n| mutant | mistake | first thing found wrong | after |\n|---|---|---|---|\n%s", strings.Join(table, "\n"))
	if len(missed) > 0 {
		return fmt.Errorf("not noticed: %s", strings.Join(missed, ", "))
	}
	return nil
}

// tryMutant gives the first thing that was found wrong; "" if nothing was.
func tryMutant(ctx context.Context, m *mutant, o options) (string, error) {
	all, err := plan(o)
	if err != nil {
		return "", err
	}
	r, err := newRunner(ctx, o)
	if err != nil {
		return "", err
	}
	defer r.close()
	if err := r.world(ctx, all); err != nil && !errors.Is(err, errFound) {
		return "", err
	}
	return r.first, ctx.Err()
}
