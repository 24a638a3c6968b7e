package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// summary prints faults by kind, and gives the kinds of which none fired.
func summary(w io.Writer, planned, fired map[string]int) (silent []string) {
	total := 0
	fmt.Fprintf(w, "%-32s %8s %8s\n", "kind", "tried", "fired")
	for _, kind := range slices.Sorted(maps.Keys(fired)) {
		fmt.Fprintf(w, "%-32s %8d %8d\n", kind, planned[kind], fired[kind])
		total += fired[kind]
		if fired[kind] == 0 {
			silent = append(silent, kind)
		}
	}
	fmt.Fprintf(w, "%-32s %8s %8d\n", "all", "", total)
	return silent
}

func reportCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use: "report", Short: "Tables of the log: faults by kind and step, checks, runs with their seeds", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			r, err := readReport(f)
			if err != nil {
				return err
			}
			r.print(cmd.OutOrStdout())
			return nil
		},
	}
	c.Flags().StringVar(&path, "log", "chaos.jsonl", "the log")
	return c
}

// report is what the log adds up to. Runs of a mutant are told apart: they are meant to go wrong.
type report struct {
	kinds map[[2]string]*tally // by kind and step
	runs  []*runTally
	byRun map[string]*runTally
}

type tally struct{ planned, fired int }

type runTally struct {
	id, mutant, code                       string
	seed                                   uint64
	begin, end                             time.Time
	faults, fired, checks, records, wrongs int
	maxLag                                 time.Duration
}

func readReport(r io.Reader) (*report, error) {
	out := &report{kinds: map[[2]string]*tally{}, byRun: map[string]*runTally{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out.add(&e)
	}
	return out, lines.Err()
}

func (r *report) add(e *entry) {
	run := r.byRun[e.Run]
	if run == nil {
		run = &runTally{id: e.Run, code: e.Code, seed: e.Seed, begin: e.At.Add(-time.Duration(e.TookMs) * time.Millisecond)}
		r.byRun[e.Run] = run
		r.runs = append(r.runs, run)
	}
	run.end, run.mutant = e.At, max(run.mutant, e.Mutant)
	switch e.What {
	case "wrong":
		run.wrongs++
	case "check":
		run.checks++
		run.records += e.Records
		run.maxLag = max(run.maxLag, time.Duration(e.MaxLagMs)*time.Millisecond)
	case "fault":
		run.faults++
		if e.Fired {
			run.fired++
		}
		if e.Mutant != "" {
			return
		}
		t := r.kinds[[2]string{e.Kind, e.Step}]
		if t == nil {
			t = &tally{}
			r.kinds[[2]string{e.Kind, e.Step}] = t
		}
		t.planned++
		if e.Fired {
			t.fired++
		}
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "| kind | fired, by step | all |\n|---|---|---|\n")
	byKind := map[string][]string{}
	sum, all := map[string]int{}, 0
	for _, k := range slices.SortedFunc(maps.Keys(r.kinds), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		n := r.kinds[k].fired
		if k[1] != "" {
			byKind[k[0]] = append(byKind[k[0]], fmt.Sprintf("%s %d", k[1], n))
		}
		sum[k[0]] += n
		all += n
	}
	for _, k := range slices.Sorted(maps.Keys(sum)) {
		fmt.Fprintf(w, "| %s | %s | %d |\n", k, strings.Join(byKind[k], ", "), sum[k])
	}
	fmt.Fprintf(w, "| **all** | | **%d** |\n\n", all)
	fmt.Fprintf(w, "| run (UTC) | commit | seed | took | faults fired | checks | records checked | longest commit lag | found wrong |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range r.runs {
		name := t.id
		if t.mutant != "" {
			name += " (mutant " + t.mutant + ")"
		}
		fmt.Fprintf(w, "| %s | %s | %d | %s | %d | %d | %d | %s | %d |\n", name, t.code, t.seed, t.end.Sub(t.begin).Round(time.Second), t.fired, t.checks, t.records,
			t.maxLag.Round(100*time.Millisecond), t.wrongs)
	}
}
