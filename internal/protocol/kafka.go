package protocol

func noTxn() txn { return txn{Record: none, Offsets: [maxParts]int8{none, none}} }

// group is what the coordinator does with a worker's membership.
func (t *turn) group(w int8) {
	s := t.s
	k := &s.Work[w]
	switch {
	case k.In == 0 && s.Member[w] == outside:
		n := *s
		n.Work[w].In, n.Member[w] = 1, admitted
		t.to(&n, "worker %d joins the group", w, 0)
	case k.In == 0: // the process is gone; the coordinator notices
		n := *s
		n.expel(w)
		t.to(&n, "the group drops the dead worker %d", w, 0)
	case s.Member[w] == outside:
		n := *s // its JoinGroup was on the way; nobody tells the worker
		n.Member[w] = replaced
		t.to(&n, "the client of worker %d joins again under another id", w, 0)
	default:
		n := *s
		if n.spend(Expel) {
			n.expel(w)
			t.to(&n, GroupDropsOne, w, 0)
		}
	}
	for p := range int8(t.c.Parts) {
		t.assign(w, p)
		t.revoke(w, p)
	}
}

func (s *State) expel(w int8) {
	s.Member[w] = outside
	for p := range s.Owner {
		if s.Owner[p] == w+1 {
			s.Owner[p] = 0
		}
	}
}

// assign gives a free partition to a member, which decides where to read from.
func (t *turn) assign(w, p int8) {
	s := t.s
	k := &s.Work[w]
	if s.Owner[p] != 0 || k.In == 0 || s.Member[w] == outside {
		return
	}
	n := *s
	n.Owner[p] = w + 1
	switch {
	case s.Member[w] == replaced && k.Hold[p] == 1:
		t.to(&n, "worker %d is given partition %d again, and its client does not say so", w, p)
		return
	case s.Member[w] == replaced && t.c.without(TrustNewMember): // as if it had been a member all the time
	case s.Member[w] == replaced:
		return // it sees the other id, and rewinds
	}
	start, ok := t.c.startOf(s, p)
	if !ok {
		return // the client asks again until the open transaction has ended; or the worker stops for good
	}
	if k.holds(p) { // a Break has kept rows
		n.Work[w].Hold[p] = 1
		t.to(&n, "worker %d is given partition %d, of which it has rows", w, p)
		return
	}
	nk := &n.Work[w]
	nk.Hold[p], nk.From[p], nk.Next[p] = 1, start, start
	t.to(&n, "worker %d is given partition %d", w, p)
}

// startOf is where reading of a partition begins: the later of the group's offset and the table's position as of the end
// of `chunks`, once no transaction is open there.
func (c *Config) startOf(s *State, p int8) (int8, bool) {
	if !c.without(UnstableOffsets) {
		for w := range s.Txn {
			if x := &s.Txn[w]; x.Open == 1 && x.Offsets[p] != none && x.Applied == 0 {
				return 0, false
			}
		}
	}
	if c.without(StartAtGroup) {
		return s.Committed[p], true
	}
	d := s.Versions[s.Newest].Doc
	if c.without(StartAtTable) {
		return d.Pos[p], true
	}
	if s.stable() < s.Ends && !c.without(StartUnsettled) {
		return 0, false // a record stands there of which it is not decided whether it counts
	}
	for d.Next < s.stable() {
		if r := &s.Records[d.Next]; r.Status == committed {
			if _, ok := c.apply(&d, r); !ok {
				return 0, false
			}
		}
		d.Next++
	}
	return max(s.Committed[p], d.Pos[p]), true
}

// stable is the last stable offset of `chunks`.
func (s *State) stable() int8 {
	for i := range s.Ends {
		if s.Records[i].Status == open {
			return i
		}
	}
	return s.Ends
}

// revoke takes a partition from a member that has nothing of it that is not durable. A worker makes a checkpoint or
// rewinds before it lets go, which other moves are.
func (t *turn) revoke(w, p int8) {
	s := t.s
	k := &s.Work[w]
	if s.Owner[p] != w+1 || k.Hold[p] == 0 || s.Member[w] != admitted {
		return
	}
	holds := k.holds(p)
	if holds && !t.c.without(KeepRevoked) {
		return
	}
	n := *s
	if !n.spend(Rebalance) {
		return
	}
	n.Owner[p], n.Work[w].Hold[p] = 0, 0
	if !holds {
		n.Work[w].From[p], n.Work[w].Next[p] = 0, 0
	}
	t.to(&n, "worker %d lets go of partition %d", w, p)
}

// transaction is what the coordinator does with the transaction of a worker's id.
func (t *turn) transaction(w int8) {
	s := t.s
	x := &s.Txn[w]
	if x.Open == 0 {
		return
	}
	decide := func(n *State, how int8, what string) {
		n.Txn[w].Decided = how
		t.to(n, what, w, 0)
	}
	if x.Decided == 0 {
		if x.Ending == 1 {
			n := *s
			decide(&n, 1, "the coordinator commits the transaction of worker %d")
		}
		// By its timeout or by the producer id that the next process takes.
		if n := *s; s.Work[w].Phase < produced || n.spend(Lost) {
			decide(&n, 2, "the coordinator aborts the transaction of worker %d")
		}
		return
	}
	if x.Marked == 0 {
		n := *s
		r := &n.Records[x.Record]
		r.Status = committed + x.Decided - 1
		n.Txn[w].Marked = 1
		n.settleTxn(w)
		t.to(&n, "the marker of worker %d's transaction reaches chunks", w, 0)
	}
	if x.Applied == 0 {
		n := *s
		for p, o := range x.Offsets {
			if o != none && x.Decided == 1 {
				n.Committed[p] = o
			}
		}
		n.Txn[w].Applied = 1
		n.settleTxn(w)
		t.to(&n, "the marker of worker %d's transaction reaches the group's offsets", w, 0)
	}
}

// settleTxn forgets a transaction whose markers are written. A worker that waits for its answer has it already, or
// learns by the state of the record.
func (s *State) settleTxn(w int8) {
	x := &s.Txn[w]
	if x.Marked == 1 && x.Applied == 1 && s.Work[w].Phase != ending {
		*x = noTxn()
	}
}
