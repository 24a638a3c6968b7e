package main

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"
)

func planned(t *testing.T, o options) string {
	t.Helper()
	faults, err := plan(o)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range faults {
		fmt.Fprintln(&text, f.N, f.Kind.name, f.Step, f.Pick, f.Hold, f.Gap)
	}
	return text.String()
}

func TestASeedGivesItsPlan(t *testing.T) {
	o := options{n: 300, world: 120, seed: 7, gap: 2 * time.Second}
	if one, two := planned(t, o), planned(t, o); one != two {
		t.Error("the same seed gave two plans")
	}
	other := o
	other.seed = 8
	if planned(t, o) == planned(t, other) {
		t.Error("two seeds gave one plan")
	}
}

func TestAPlanHasEveryKindAndEveryStep(t *testing.T) {
	faults, err := plan(options{n: 1000, world: 120, seed: 1, gap: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range faults {
		have[f.Kind.name+" "+f.Step] = true
	}
	for _, k := range kinds() {
		steps := k.steps
		if len(steps) == 0 {
			steps = []string{""}
		}
		for _, step := range steps {
			if !have[k.name+" "+step] {
				t.Errorf("1,000 faults have none of kind %s at step %q", k.name, step)
			}
		}
	}
}

func TestUnknownKindIsNamed(t *testing.T) {
	if _, err := plan(options{n: 1, world: 1, gap: time.Second, kinds: []string{"meteor"}}); err == nil || !strings.Contains(err.Error(), "worker-kill-at") {
		t.Errorf("%v", err)
	}
}

// A mutant whose place in the source has changed would mutate nothing, and seem to be noticed never.
func TestMutantsFitTheSource(t *testing.T) {
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	for i := range mutants {
		files, err := mutants[i].apply(root)
		if err != nil {
			t.Error(err)
			continue
		}
		for name, text := range files {
			if _, err := parser.ParseFile(token.NewFileSet(), name, text, 0); err != nil {
				t.Errorf("mutant %s: %v", mutants[i].name, err)
			}
		}
		if _, err := choose(mutants[i].kinds, nil); err != nil {
			t.Errorf("mutant %s: %v", mutants[i].name, err)
		}
	}
}

func TestReportTellsMutantsApart(t *testing.T) {
	r, err := readReport(strings.NewReader(`{"at":"2026-11-27T05:00:00Z","run":"a","seed":1,"code":"c0ffee","what":"fault","kind":"k","step":"s","fired":true}
{"at":"2026-11-27T05:00:09Z","run":"a","seed":1,"what":"fault","kind":"k","step":"s"}
{"at":"2026-11-27T05:01:00Z","run":"a","seed":1,"what":"check","records":5,"max_commit_lag_ms":1500}
{"at":"2026-11-27T05:02:00Z","run":"b","seed":2,"what":"fault","kind":"k","step":"s","fired":true,"mutant":"m"}
{"at":"2026-11-27T05:02:00Z","run":"b","seed":2,"what":"wrong","detail":"lost"}
`))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"| k | s 1 | 1 |", "| **all** | | **1** |", "| a | c0ffee | 1 | 1m0s | 1 | 1 | 5 | 1.5s | 0 |", "| b (mutant m) |  | 2 | 0s | 1 | 0 | 0 | 0s | 1 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}
