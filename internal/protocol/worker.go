package protocol

func (k *worker) reset() {
	*k = worker{File: none}
	k.release()
}

// release lets go of the closed buffer.
func (k *worker) release() {
	k.Phase, k.File = reading, none
	k.CFrom, k.CNext = [maxParts]int8{none, none}, [maxParts]int8{none, none}
}

// acknowledged lets go of the closed buffer, unless its file is yet to come.
func (k *worker) acknowledged(s *State) {
	if s.Files[k.File].There == 0 {
		k.CFrom, k.CNext = [maxParts]int8{none, none}, [maxParts]int8{none, none}
		k.Phase = owing
		return
	}
	k.release()
}

// worker is what a worker may do.
func (t *turn) worker(w int8) {
	s := t.s
	k := &s.Work[w]
	if k.In == 0 {
		return
	}
	for p := range int8(t.c.Parts) {
		if k.Hold[p] == 1 && int(k.Next[p]) < t.c.Events {
			n := *s
			n.Work[w].Next[p]++
			t.to(&n, "worker %d reads a record of partition %d", w, p)
		}
	}
	t.rewind(w)
	switch k.Phase {
	case reading:
		t.close(w)
	case closed:
		t.upload(w)
		if t.c.without(CommitBeforeUpload) {
			t.produce(w)
		}
	case uploaded:
		t.produce(w)
	case owing:
		t.upload(w)
	case produced:
		t.offsets(w)
	case offsets:
		if s.Txn[w].Open == 1 && s.Txn[w].Decided == 0 {
			n := *s
			n.Txn[w].Ending, n.Work[w].Phase = 1, ending
			t.to(&n, "worker %d asks to commit its transaction", w, 0)
		}
	case ending:
		if s.Txn[w].Decided == 1 {
			n := *s
			n.Work[w].acknowledged(&n)
			n.settleTxn(w)
			t.to(&n, "worker %d hears that its transaction is committed", w, 0)
		}
	}
}

// rewind drops all that a worker holds, and its membership: when a commit was refused or its outcome is not known, when it
// sees that it was expelled, and, as a fault, at any time. kill -9 is the same, but the group hears of it later.
func (t *turn) rewind(w int8) {
	s := t.s
	k := &s.Work[w]
	x := &s.Txn[w]
	// A commit that must be given up: of its transaction only an abort is known, or its member is not the one.
	forced := s.Member[w] != admitted && k.Phase != ending || k.Phase >= produced && k.Phase <= ending && (x.Open == 0 || x.Decided == 2) || k.Phase == uploaded && s.fileAge(k.File) != young
	n := *s
	switch {
	case forced && t.c.without(KeepLost) && s.Member[w] != admitted && k.Phase < produced:
		n.Member[w] = admitted // it keeps its rows, and is a member again
		n.Work[w].Hold = [maxParts]int8{}
		t.to(&n, "worker %d joins again with the rows that it has", w, 0)
		return
	case forced:
	case k.Phase == ending && s.Left[Lost] > 0:
		n.spend(Lost)
	default:
		t.crash(w)
		return
	}
	n.Work[w].reset()
	n.expel(w)
	n.settleTxn(w)
	t.to(&n, "worker %d drops what it holds and begins again", w, 0)
	t.crash(w)
}

func (t *turn) crash(w int8) {
	n := *t.s
	if n.spend(Crash) {
		n.Work[w].reset()
		n.settleTxn(w)
		t.to(&n, "worker %d is killed", w, 0)
	}
}

func (s *State) fileAge(i int8) int8 {
	if i == none {
		return young
	}
	return s.Files[i].Age
}

// close ends the current buffer; reading goes on into the next.
func (t *turn) close(w int8) {
	n := *t.s
	k := &n.Work[w]
	any := false
	for p := range k.From {
		if k.Next[p] > k.From[p] {
			k.CFrom[p], k.CNext[p] = k.From[p], k.Next[p]
			k.From[p] = k.Next[p]
			any = true
		}
	}
	if !any {
		return
	}
	k.Phase = closed
	t.to(&n, "worker %d closes its buffers", w, 0)
}

// upload makes the file durable, under a name that was never used.
func (t *turn) upload(w int8) {
	n := *t.s
	k := &n.Work[w]
	n.Files[n.fileOf(k)].There = 1
	if k.Phase == owing {
		k.release()
	} else {
		k.Phase = uploaded
	}
	t.to(&n, "worker %d has uploaded its file", w, 0)
}

// fileOf gives the closed buffer its file.
func (s *State) fileOf(k *worker) int8 {
	if k.File == none {
		k.File = s.newFile()
		for p := range k.CFrom {
			if k.CFrom[p] != none {
				s.Files[k.File].Rows[p] = span(k.CFrom[p], k.CNext[p])
			}
		}
	}
	return k.File
}

// newFile takes a place for a file that nobody names yet.
func (s *State) newFile() int8 {
	named := s.named()
	for i := range int8(maxFiles) {
		if !named.has(i) {
			s.Files[i] = file{}
			return i
		}
	}
	panic("protocol: too many files: enlarge maxFiles")
}

func span(from, next int8) uint8 { return 1<<next - 1<<from }

// produce begins the transaction with the record. The producer id of a new process ends what the one before left.
func (t *turn) produce(w int8) {
	if t.s.Txn[w].Open == 1 || t.s.fileAge(t.s.Work[w].File) != young && !t.c.without(NoAgeOfFiles) {
		return
	}
	n := *t.s
	k := &n.Work[w]
	r := record{Status: open, From: k.CFrom, Next: k.CNext, File: n.fileOf(k)}
	if t.c.without(CommitPolled) {
		r.Next = k.polled()
	}
	if n.Ends == maxRecords {
		panic("protocol: too many records: enlarge maxRecords")
	}
	n.Txn[w].Open, n.Txn[w].Record = 1, n.Ends
	n.Records[n.Ends] = r
	n.Ends++
	k.Phase = produced
	t.to(&n, "worker %d writes the record of its checkpoint", w, 0)
}

// polled is what a worker has read beyond what its closed buffer covers.
func (k *worker) polled() [maxParts]int8 {
	next := k.CNext
	for p := range next {
		if next[p] != none {
			next[p] = max(next[p], k.Next[p])
		}
	}
	return next
}

// offsets adds the offsets to the transaction. The coordinator looks at the member, never at what it owns.
func (t *turn) offsets(w int8) {
	s := t.s
	k := &s.Work[w]
	x := &s.Txn[w]
	if x.Open == 0 || x.Decided != 0 {
		return
	}
	if s.Member[w] == replaced && !t.c.without(TrustNewMember) || s.Member[w] == outside && !t.c.without(NoFencing) {
		return
	}
	n := *s
	n.Txn[w].Offsets = k.CNext
	if t.c.without(CommitPolled) || t.c.without(PolledOffsets) {
		n.Txn[w].Offsets = k.polled()
	}
	n.Work[w].Phase = offsets
	t.to(&n, "worker %d adds its offsets to the transaction", w, 0)
}

// whole is a checkpoint of one event, all at once.
func (t *turn) whole(w int8) {
	for p := range int8(t.c.Parts) {
		n := *t.s
		k := &n.Work[w]
		if k.Hold[p] == 0 || int(k.Next[p]) >= t.c.Events || n.Member[w] != admitted {
			continue
		}
		r := record{Status: committed, From: [maxParts]int8{none, none}, Next: [maxParts]int8{none, none}, File: n.newFile()}
		r.From[p], r.Next[p] = k.Next[p], k.Next[p]+1
		n.Files[r.File] = file{There: 1}
		n.Files[r.File].Rows[p] = span(r.From[p], r.Next[p])
		n.Records[n.Ends] = r
		n.Ends++
		k.From[p], k.Next[p], n.Committed[p] = r.Next[p], r.Next[p], r.Next[p]
		t.to(&n, Checkpoints, w, p)
	}
}

// holds says whether a worker has rows of a partition that are not known to be durable.
func (k *worker) holds(p int8) bool { return k.Next[p] > k.From[p] || k.CFrom[p] != none }
