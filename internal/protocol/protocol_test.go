package protocol

import (
	"flag"
	"testing"
)

var large = flag.Bool("large", false, "explore larger sizes too: minutes and gigabytes")

// faults says how often each may happen.
func faults(list ...Fault) (n [numFaults]int8) {
	for _, f := range list {
		n[f]++
	}
	return n
}

// sizes are explored to the last state by every run of the tests.
var sizes = []Config{
	{Name: "two workers, one expelled", Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Expel)},
	{Name: "two workers, a rebalance and a zombie", Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Expel, Rebalance)},
	{Name: "two workers, two killed, and the group's offsets gone", Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Crash, Crash, Reset)},
	{Name: "two partitions", Parts: 2, Events: 1, Workers: 2, Committers: 1, Faults: faults(Rebalance)},
	{Name: "two committers, two answers lost", Parts: 1, Events: 2, Workers: 1, Committers: 2, Faults: faults(Lost, Lost)},
	{Name: "two committers, one killed, old versions expire", Whole: true, Parts: 1, Events: 3, Workers: 1, Committers: 2, Expire: true, Faults: faults(Tick, Crash)},
	{Name: "sweep beside a committer that may freeze", Parts: 1, Events: 1, Workers: 1, Committers: 1, Manifests: true, Sweep: true, Faults: faults(Tick, Tick, Upkeep, Lost)},
	{Name: "compaction, sweep, expiry and a query", Whole: true, Parts: 1, Events: 2, Workers: 1, Committers: 1, Compactors: 1, Sweep: true, Expire: true, Reader: true, Faults: faults(Tick, Tick, Upkeep, Upkeep)},
	{Name: "two compactions, an answer lost", Whole: true, Parts: 1, Events: 3, Workers: 1, Committers: 1, Compactors: 2, Faults: faults(Upkeep, Upkeep, Upkeep, Lost)},
}

// largeSizes take minutes; see make model-protocol.
var largeSizes = []Config{
	{Name: "two workers, everything once", Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Crash, Expel, Rebalance, Lost)},
	{Name: "two workers and two committers, a zombie and a lost answer", Parts: 1, Events: 2, Workers: 2, Committers: 2, Faults: faults(Expel, Lost)},
	{Name: "a zombie that the broker does not fence", Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Expel), Without: NoFencing, Lossy: true},
	{Name: "two partitions of two events, a zombie", Parts: 2, Events: 2, Workers: 2, Committers: 1, Faults: faults(Expel)},
	{Name: "four events, a kill", Parts: 1, Events: 4, Workers: 2, Committers: 1, Faults: faults(Crash)},
	{Name: "two committers, three events", Parts: 1, Events: 3, Workers: 1, Committers: 2, Faults: faults(Lost, Lost, Crash)},
	{Name: "sweep beside a worker and a committer that may freeze", Parts: 1, Events: 2, Workers: 1, Committers: 1, Manifests: true, Sweep: true, Faults: faults(Tick, Tick, Upkeep, Lost)},
	{Name: "compaction, sweep and expiry beside a worker", Parts: 1, Events: 2, Workers: 1, Committers: 1, Compactors: 1, Sweep: true, Expire: true, Reader: true, Faults: faults(Tick, Tick, Upkeep, Upkeep)},
	{Name: "two compactions, sweep and expiry, an answer lost", Whole: true, Parts: 1, Events: 3, Workers: 1, Committers: 1, Compactors: 2, Sweep: true, Expire: true, Faults: faults(Tick, Tick, Upkeep, Upkeep, Upkeep, Lost)},
	{Name: "two committers and a compaction, sweep and expiry, a kill", Whole: true, Parts: 1, Events: 2, Workers: 1, Committers: 2, Compactors: 1, Sweep: true, Expire: true, Faults: faults(Tick, Tick, Upkeep, Upkeep, Lost, Crash)},
}

// In every state that can be reached each event is in the table once below its position and nowhere above it, every file
// that a version names is there, positions and hint only rise, no version is written twice, and the table can still
// become complete.
func TestEveryStateKeepsThePromises(t *testing.T) {
	all := sizes
	if *large {
		all = append(all, largeSizes...)
	}
	for _, c := range all {
		c.Limit = 12_000_000
		t.Run(c.Name, func(t *testing.T) {
			r := Explore(c)
			seen := "all"
			if r.Cut {
				seen = "the first"
			}
			t.Logf("%s %d states, %d moves, %d deep, in %v", seen, r.States, r.Moves, r.Depth, r.Took.Round(1e6))
			if r.Bad != "" {
				t.Error(r)
			}
			if r.Cut && !*large {
				t.Error("not every state was seen")
			}
		})
	}
}
