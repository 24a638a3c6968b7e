package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "chaos", Short: "Break a running archive and see whether it loses or doubles an event", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(runCommand(), reportCommand(), mutantsCommand())
	return root
}

// options are what a run is told.
type options struct {
	n, round, world int           // faults in all, before each check, before everything is made anew
	seed            uint64        // of the plan
	within          time.Duration // no fault begins later than this
	gap             time.Duration // between the beginnings of two faults, on average
	rate            int           // events a second
	kinds, skip     []string      // of faults; empty: all, and none left out
	even            bool          // every kind as often as any other
	log             string        // JSON lines are added to it
	keep            bool          // the folder with the processes' logs
	race            bool          // build with the race detector
	mutant          string        // a mistake built into the binary
	binary          string        // already built with the tag
}

func runCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use: "run", Short: "Inject faults and check after each round", Args: cobra.NoArgs,
		Example: "  chaos run --n 100 --seed 7\n  chaos run --n 60 --even --within 100s\n  chaos run --n 20 --kinds worker-kill-at,s3-lost",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.seed == 0 {
				o.seed = uint64(time.Now().UnixNano()) % 1_000_000
			}
			return run(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.IntVar(&o.n, "n", 100, "faults to inject; 0: every kind as often as its weight says, with --even once")
	f.IntVar(&o.round, "round", 30, "faults before each check")
	f.IntVar(&o.world, "world", 120, "faults before topics and table are made anew")
	f.Uint64Var(&o.seed, "seed", 0, "of the plan; the same seed gives the same faults in the same order (default: from the clock)")
	f.DurationVar(&o.within, "within", 0, "begin no fault later than this; 0: no bound")
	f.DurationVar(&o.gap, "gap", 2200*time.Millisecond, "from one fault's beginning to the next, on average")
	f.IntVar(&o.rate, "rate", 120, "events a second that the producer sends")
	f.StringSliceVar(&o.kinds, "kinds", nil, "kinds of faults (default all; see docs/chaos.md)")
	f.StringSliceVar(&o.skip, "skip", nil, "kinds of faults to leave out")
	f.BoolVar(&o.even, "even", false, "every kind as often as any other, so that few faults have all")
	f.StringVar(&o.log, "log", "chaos.jsonl", "file to which a line for every fault and every check is added")
	f.BoolVar(&o.keep, "keep", false, "keep the folder with the processes' logs; it is kept anyway when something is wrong")
	f.BoolVar(&o.race, "race", false, "build the processes with the race detector")
	f.StringVar(&o.binary, "binary", "", "take this coldstream, built with -tags faults, instead of building it")
	f.StringVar(&o.mutant, "mutant", "", "build a mistake into the processes, see `chaos mutants --list`")
	return c
}

// errFound says that a run found something wrong; what, was printed.
var errFound = errors.New("something is wrong: see above")

// run injects o.n faults in as many worlds as it takes.
func run(ctx context.Context, o options) error {
	all, err := plan(o)
	if err != nil {
		return err
	}
	r, err := newRunner(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	for _, f := range all {
		r.fired[f.Kind.name] = 0
	}
	for len(all) > 0 && ctx.Err() == nil && !r.late() && !r.spoilt() {
		n := min(o.world, len(all))
		if err := r.world(ctx, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.finish()
}
