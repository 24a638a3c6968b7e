package protocol

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file")

// broken is a step of the protocol that is taken out or done wrong, and the smallest system in which that shows.
type broken struct {
	step string
	Config
}

// breaks has every Break. What two fences guard is shown twice: with one of them gone the other stops the committer, so
// that nothing is lost or doubled but somebody must look; with both gone rows are doubled.
var breaks = []broken{
	{"commit offsets and record before the upload", Config{Events: 1, Without: CommitBeforeUpload, Faults: faults(Crash)}},
	{"the same, and the committer does not look for the file", Config{Events: 1, Without: CommitBeforeUpload | NoFileCheck, Faults: faults(Crash)}},
	{"commit what was polled rather than uploaded", Config{Events: 2, Without: CommitPolled}},
	{"commit what was polled, to the group alone", Config{Events: 2, Without: PolledOffsets, Faults: faults(Crash)}},
	{"skip the ownership check: keep rows of a partition that was revoked", Config{Events: 2, Workers: 2, Without: KeepRevoked, Faults: faults(Rebalance)}},
	{"the same, and the committer compares no offsets", Config{Events: 1, Workers: 2, Without: KeepRevoked | NoComparison, Faults: faults(Rebalance)}},
	{"an expelled worker keeps its rows", Config{Events: 2, Workers: 2, Without: KeepLost, Faults: faults(Expel)}},
	{"commit under whatever member id the client has", Config{Events: 2, Workers: 2, Without: TrustNewMember, Faults: faults(Expel)}},
	{"the same, and the committer compares no offsets", Config{Events: 1, Workers: 2, Without: TrustNewMember | NoComparison, Faults: faults(Expel)}},
	{"do not wait for offsets of open transactions", Config{Events: 2, Workers: 2, Without: UnstableOffsets | StartUnsettled, Faults: faults(Crash)}},
	{"no fencing by the broker", Config{Events: 2, Workers: 2, Without: NoFencing, Faults: faults(Expel)}},
	{"the same, and the committer compares no offsets", Config{Events: 1, Workers: 2, Without: NoFencing | NoComparison, Faults: faults(Expel)}},
	{"start at the group's offset alone", Config{Events: 2, Without: StartAtGroup, Faults: faults(Crash, Reset)}},
	{"start at the table's position alone", Config{Events: 2, Without: StartAtTable, Faults: faults(Crash)}},
	{"start while a transaction is open in chunks", Config{Events: 2, Workers: 2, Without: StartUnsettled, Faults: faults(Crash, Crash, Reset)}},
	{"forget the position: go by the committer group's offset", Config{Events: 1, Without: OffsetOfGroup, Faults: faults(Crash)}},
	{"take a checkpoint behind a gap", Config{Events: 2, Without: TakeGaps, Faults: faults(Erode)}},
	{"take a checkpoint that overlaps", Config{Events: 2, Without: StartAtGroup | TakeOverlaps, Faults: faults(Crash, Reset)}},
	{"reload inside a commit", Config{Events: 1, Committers: 2, Without: Reload}},
	{"blind retry of a PUT", Config{Events: 1, Without: BlindRetry, Faults: faults(Lost)}},
	{"an answer that did not come is success", Config{Events: 1, Without: UnknownIsDone, Faults: faults(Lost)}},
	{"an answer that did not come is failure: delete what was written", Config{Whole: true, Events: 2, Compactors: 1, Without: UnknownIsFailed, Faults: faults(Upkeep, Lost)}},
	{"an unconditional PUT", Config{Events: 2, Committers: 2, Without: Overwrite}},
	{"free a version number", Config{Whole: true, Events: 2, Committers: 2, Expire: true, Without: FreeVersions, Faults: faults(Tick)}},
	{"a hint that falls", Config{Events: 2, Committers: 2, Without: HintFalls}},
	{"announce a file however old it is", Config{Events: 1, Sweep: true, Without: NoAgeOfFiles | NoFileCheck, Faults: faults(Tick, Tick, Upkeep)}},
	{"sweep by age alone", Config{Whole: true, Events: 1, Sweep: true, Without: SweepByAge, Faults: faults(Tick, Tick, Upkeep)}},
	{"sweep without a look at chunks", Config{Whole: true, Events: 1, Sweep: true, Without: SweepBlind, Faults: faults(Tick, Tick, Upkeep)}},
	{"sweep without what is not yet committed", Config{Events: 1, Sweep: true, Without: SweepCommitted, Faults: faults(Tick, Tick, Upkeep)}},
	{"sweep that commits nothing before it deletes, beside a frozen committer", Config{Whole: true, Events: 1, Manifests: true, Sweep: true, Without: SweepUnfenced, Faults: faults(Tick, Tick, Upkeep)}},
	{"the same beside a frozen compaction", Config{Whole: true, Events: 2, Compactors: 1, Sweep: true, Without: SweepUnfenced, Faults: faults(Tick, Tick, Upkeep, Upkeep)}},
	{"expire a version that a query may need", Config{Whole: true, Events: 2, Compactors: 1, Sweep: true, Expire: true, Reader: true, Without: ExpireAtOnce, Faults: faults(Tick, Tick, Upkeep, Upkeep)}},
	{"expire the version that the hint names", Config{Whole: true, Events: 1, Expire: true, Without: ExpireHinted, Faults: faults(Tick)}},
	{"swap although an input is gone", Config{Whole: true, Events: 2, Compactors: 2, Without: SwapGone, Faults: faults(Upkeep, Upkeep)}},
	{"swap however old the output is", Config{Whole: true, Events: 2, Compactors: 1, Sweep: true, Without: SwapOld, Faults: faults(Tick, Tick, Upkeep, Upkeep)}},
	{"a compaction that writes the position it planned by", Config{Whole: true, Events: 3, Compactors: 1, Without: SwapPosition, Faults: faults(Upkeep)}},
}

// small fills in the sizes that a Config leaves out.
func (c Config) small() Config {
	c.Parts, c.Workers, c.Committers = 1, max(1, c.Workers), max(1, c.Committers)
	return c
}

// Every step of the protocol is there for a reason: without it the model finds the way to a broken promise, and with it
// the same system, under the same faults, has none. The ways are in testdata, to be read.
func TestEveryBreakIsCaught(t *testing.T) {
	var all strings.Builder
	seen, whole := Break(0), map[Config]bool{}
	for i, b := range breaks {
		c := b.small()
		seen |= c.Without
		r := Explore(c)
		if r.Bad == "" {
			t.Errorf("%s: not caught, in %d states", b.step, r.States)
		}
		fmt.Fprintf(&all, "# %d. %s\n%s\n\n", i+1, b.step, r)
		if c.Without = 0; c.Faults[Erode] > 0 {
			c.Lossy = true // what is lost is lost; the committer stops
		}
		if whole[c] {
			continue
		}
		whole[c] = true
		if r = Explore(c); r.Bad != "" {
			t.Errorf("%s: the protocol as it is: %s", b.step, r)
		}
	}
	if seen != lastBreak<<1-1 {
		t.Errorf("breaks that are never tried: %b", (lastBreak<<1-1)&^seen)
	}
	golden(t, "counterexamples.txt", all.String())
}

// Kafka's fencing and the table's position each suffice alone: with the one gone, the other lets no row be lost or doubled.
func TestEachFenceSufficesAlone(t *testing.T) {
	for name, c := range map[string]Config{
		"the broker's fencing":  {Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Expel, Rebalance), Without: NoComparison},
		"the table's position":  {Parts: 1, Events: 1, Workers: 2, Committers: 1, Faults: faults(Expel), Without: NoFencing, Lossy: true},
		"and without ownership": {Parts: 1, Events: 2, Workers: 2, Committers: 1, Faults: faults(Rebalance), Without: NoFencing | KeepRevoked | TrustNewMember | UnstableOffsets, Lossy: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := Explore(c)
			t.Logf("%d states, %d deep", r.States, r.Depth)
			if r.Bad != "" {
				t.Error(r)
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what was found; run the test with -update and look at the difference:\n%s", path, got)
	}
}
