package protocol

// Fault is something that the environment does to the system, a limited number of times.
type Fault int

// The faults.
const (
	Crash     Fault = iota // a process is killed and starts anew
	Expel                  // the group drops a member that still works; it goes on as a zombie
	Rebalance              // the group takes a partition from a member that answers
	Lost                   // a request or an answer is lost, or comes later than its sender waits
	Tick                   // so much time passes that files get stale, or old; much more than sessions, transactions and queries take
	Reset                  // the group's offset of a partition is gone
	Upkeep                 // a run of sweep or of compaction: no fault, but it must end
	Erode                  // `chunks` loses its first record that the table does not have
	numFaults
)

// Break is a set of steps that are taken out of the protocol, or done wrong.
type Break uint64

// The steps, and what is done instead.
const (
	CommitBeforeUpload Break = 1 << iota // the record and the offsets are committed while the file is still on its way
	CommitPolled                         // the record says, and the group gets, what was polled rather than what is in the file
	PolledOffsets                        // only the group gets what was polled
	KeepRevoked                          // a worker lets go of a partition, and keeps its rows
	KeepLost                             // a worker that was expelled keeps its rows and joins again
	TrustNewMember                       // a commit goes out under whatever member id the client has now
	UnstableOffsets                      // offsets of open transactions are not waited for
	StartAtGroup                         // reading starts at the group's offset, whatever the table says
	StartAtTable                         // reading starts at the table's position, without what waits in `chunks`
	StartUnsettled                       // it does not wait for transactions that are open in `chunks`
	NoFencing                            // the broker takes offsets from whoever sends them
	NoAgeOfFiles                         // a worker announces a file however old it is
	OffsetOfGroup                        // the committer goes by its group's offset; the table has no position
	NoComparison                         // the committer takes every record once, wherever its offsets start
	TakeGaps                             // a checkpoint that starts after the position is taken
	TakeOverlaps                         // one that begins below the position is taken
	Reload                               // the committer loads the table again between its plan and its PUT
	BlindRetry                           // after an answer that is no success the same files go out on the newest version
	UnknownIsDone                        // an answer that did not come counts as success
	UnknownIsFailed                      // an answer that did not come counts as failure: what was written is taken back
	Overwrite                            // the PUT of a version is unconditional
	FreeVersions                         // expiry deletes versions instead of leaving tombstones
	HintFalls                            // the hint is written without a look at it
	NoFileCheck                          // the committer does not look whether files are there
	SweepByAge                           // sweep takes whatever is old
	SweepBlind                           // sweep does not read `chunks`
	SweepCommitted                       // sweep reads `chunks` without what is not yet committed
	SweepUnfenced                        // sweep commits nothing before it deletes
	ExpireAtOnce                         // a version expires the moment that it is replaced
	ExpireHinted                         // a version expires although the hint names it
	SwapGone                             // a compaction swaps although an input is gone
	SwapOld                              // a compaction swaps however old its output is
	SwapPosition                         // a compaction writes the position that it planned by

	lastBreak = SwapPosition
)

// Config is what to explore.
type Config struct {
	Name                                           string
	Parts, Events, Workers, Committers, Compactors int
	Sweep, Expire, Reader                          bool
	Faults                                         [numFaults]int8
	Without                                        Break
	// Whole makes a worker's checkpoint one move, where the question is what comes after it.
	Whole bool
	// Manifests counts what a committer writes for its version as a file of it.
	Manifests bool
	// Lossy says that the environment may make completeness impossible, so that only safety is looked at.
	Lossy bool
	// Limit ends an exploration, in states; 0: none.
	Limit int
}

func (c *Config) without(b Break) bool { return c.Without&b != 0 }

// start is the state before anything has happened: an empty table of one version, whose hint stands.
func (c *Config) start() State {
	var s State
	for w := range s.Work {
		s.Work[w].reset()
		s.Txn[w] = noTxn()
	}
	for i := range s.Write {
		s.Write[i] = fresh()
	}
	s.Versions[0] = version{Kind: live}
	s.Hint = 1
	s.Left = c.Faults
	return s
}

// Move is one step of an actor or of the environment.
type Move struct {
	What string // with %d for A and B
	A, B int8
}

// turn collects what can follow on a state.
type turn struct {
	c    *Config
	s    *State
	emit func(Move, *State, string)
}

// to says that a state may follow.
func (t *turn) to(n *State, what string, a, b int8) { t.emit(Move{what, a, b}, n, "") }

// spend uses up a fault; false if it has happened often enough.
func (s *State) spend(f Fault) bool {
	if s.Left[f] == 0 {
		return false
	}
	s.Left[f]--
	return true
}

// next gives all that can follow on s.
func (c *Config) next(s *State, emit func(Move, *State, string)) {
	t := &turn{c, s, emit}
	for w := range int8(c.Workers) {
		t.group(w)
		t.transaction(w)
		if c.Whole {
			t.whole(w)
		} else {
			t.worker(w)
		}
	}
	for i := range int8(c.Committers + c.Compactors) {
		t.writer(i)
	}
	t.network()
	t.upkeep()
	t.environment()
}
