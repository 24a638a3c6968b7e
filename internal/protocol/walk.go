package protocol

// The moves of committers, of the store beside them and of expiry, by which a schedule is replayed on the real code.
const (
	Plans         = "committer %d plans by the newest version, to record %d of chunks"
	Sends         = "writer %d sends the PUT of the next version"
	Answered      = "the store gets the PUT of writer %d and answers"
	AnswerLost    = "the store gets the PUT of writer %d and its answer is lost"
	RequestLost   = "the PUT of writer %d is lost"
	HearsNothing  = "writer %d hears no answer in time"
	ArrivesLate   = "a PUT that nobody waits for reaches the store"
	NeverArrives  = "a PUT that nobody waits for is lost"
	Finds         = "writer %d finds its commit"
	LooksAgain    = "writer %d does not find its commit, and looks again"
	ReadsHint     = "writer %d reads the hint"
	HintIsHigh    = "writer %d finds the hint high enough"
	HintMoved     = "writer %d finds the hint moved"
	RaisesHint    = "writer %d raises the hint"
	Killed        = "writer %d is killed"
	Checkpoints   = "worker %d makes a checkpoint of one record of partition %d"
	Rewrites      = "compactor %d makes one file of those that are live"
	StagesSwap    = "compactor %d stages its swap on the newest version"
	Abandons      = "compactor %d abandons its output"
	LeavesStone   = "expiry leaves a tombstone in the place of version %d"
	MuchTimeGoes  = "much time passes: files get older"
	GroupDropsOne = "the group drops worker %d, which knows nothing of it"
)

// Walk is one schedule in the making. Its actors and versions keep their names and numbers.
type Walk struct {
	c Config
	s State
}

// Option is a move that is possible now.
type Option struct {
	Move
	next State
}

// Begin starts a schedule.
func Begin(c Config) *Walk { return &Walk{c, c.start()} }

// Options gives what is possible now, always in the same order.
func (w *Walk) Options() (all []Option) {
	s := w.s
	w.c.next(&s, func(m Move, n *State, _ string) { all = append(all, Option{m, *n}) })
	return all
}

// Take makes a move.
func (w *Walk) Take(o Option) { w.s = o.next }

// Complete says whether the table has every event.
func (w *Walk) Complete() bool { return w.c.complete(&w.s) }

// View is what of a state can be seen on the store.
type View struct {
	Newest int   // number of the newest version; the first is 0
	Hint   int   // number of the version that the hint names; -1: there is none
	Stones []int // versions that have expired
	Next   int64 // position in `chunks`
	Pos    int64 // position in partition 0
	Files  int
}

// View tells what should be on the store now.
func (w *Walk) View() View {
	d := w.s.Versions[w.s.Newest].Doc
	v := View{Newest: int(w.s.Newest), Hint: int(w.s.Hint) - 1, Next: int64(d.Next), Pos: int64(d.Pos[0]), Files: d.Live.count()}
	for at := range w.s.Newest {
		if w.s.Versions[at].Kind == tombstone {
			v.Stones = append(v.Stones, int(at))
		}
	}
	return v
}
