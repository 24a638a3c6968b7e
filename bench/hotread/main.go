package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/coldstream/coldstream/bench"
	embedded "github.com/coldstream/coldstream/embedded/clickhouse"
)

// options are the command line.
type options struct {
	messages []int
	merged   []bool
	times    int
	only     *regexp.Regexp
	data     string
	fillOnly bool
	keep     bool
	table    bench.Settings
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench-hotread", flag.ContinueOnError)
	sizes := f.String("messages", "3000000,10000000", "sizes of the store")
	states := f.String("parts", "unmerged,merged", "states of its parts: unmerged, merged")
	only := f.String("only", "", "questions to ask, as a regular expression")
	f.IntVar(&o.times, "n", 200, "how often each question is asked; those of analysts a fifth as often")
	f.StringVar(&o.data, "data", "", "folder where filled stores stay between runs; empty: a temporary one")
	f.BoolVar(&o.fillOnly, "fill", false, "fill the stores and ask nothing")
	f.Var(&o.table, "table", "a setting of the table state that is filled, as index_granularity=512; may be repeated; with a -data folder of its own")
	f.BoolVar(&o.keep, "keep", false, "fill the first store, and keep its engine running until Ctrl-C, to ask by hand")
	f.Usage = func() {
		fmt.Fprint(f.Output(), "Measures pages, searches and a user's messages in the hot store.\n\n"+
			"  make bench-hotread                                            3 and 10 million messages, parts unmerged and merged\n"+
			"  make bench-hotread ARGS='-messages 300000 -only page -n 50'   less\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 10_000 {
			return o, fmt.Errorf("-messages %q: want numbers from 10000", size)
		}
		o.messages = append(o.messages, n)
	}
	for state := range strings.SplitSeq(*states, ",") {
		if state != "merged" && state != "unmerged" {
			return o, fmt.Errorf("-parts %q: want merged or unmerged", state)
		}
		o.merged = append(o.merged, state == "merged")
	}
	if o.times < 1 {
		return o, errors.New("-n wants a number from 1")
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func main() {
	embedded.ChildMain()
	bench.Main("bench-hotread", parse, run)
}

func run(ctx context.Context, o options) error {
	if o.data == "" {
		dir, err := os.MkdirTemp("", "bench-hotread-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.data = dir
	}
	fmt.Printf("on: %s, %d cores; libchdb %s\n", processor(), runtime.NumCPU(), embedded.Version)
	for _, n := range o.messages {
		for _, merged := range o.merged {
			if err := one(ctx, o, n, merged); err != nil {
				return err
			}
		}
	}
	return nil
}

// one measures a store.
func one(ctx context.Context, o options, messages int, merged bool) (err error) {
	state := map[bool]string{true: "merged", false: "unmerged"}[merged]
	s, err := open(ctx, filepath.Join(o.data, fmt.Sprintf("%d-%s", messages, state)), o.table, messages, merged)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	size, err := s.size(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d messages, %s: %s\n", messages, state, size)
	if o.keep {
		say("Users bench and analyst, password bench, at http://%s; Ctrl-C ends it", s.server.Addr())
		<-ctx.Done()
		return nil
	}
	if o.fillOnly {
		return nil
	}
	if err := s.countActivity(ctx); err != nil {
		return err
	}
	return ask(ctx, o, s, messages)
}

func say(format string, a ...any) { fmt.Fprintf(os.Stderr, format+"\n", a...) }
