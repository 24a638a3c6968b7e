package protocol

// network delivers the PUTs that are on their way: in time, late, or never.
func (t *turn) network() {
	for i := range t.s.Flying {
		p := t.s.Puts[i]
		waits := p.By > 0 && t.s.Write[p.By-1].Phase == sent
		n := *t.s
		n.drop(i)
		bad := t.c.arrive(&n, p)
		heard := n
		if waits {
			w := &heard.Write[p.By-1]
			if w.Phase = doubt; n.Versions[p.At].By == p.By {
				w.Phase = done
				heard.disown(p.By - 1)
			}
		}
		if !waits {
			t.emit(Move{ArrivesLate, p.By - 1, i}, &heard, bad)
			n = *t.s
			n.drop(i)
			t.to(&n, NeverArrives, p.By-1, i)
			continue
		}
		t.emit(Move{Answered, p.By - 1, i}, &heard, bad)
		if n.spend(Lost) {
			n.Write[p.By-1].Phase = doubt
			t.emit(Move{AnswerLost, p.By - 1, i}, &n, bad)
		}
		if n = *t.s; n.spend(Lost) {
			n.Write[p.By-1].Phase = doubt
			n.drop(i)
			t.to(&n, RequestLost, p.By-1, i)
		}
	}
}

func (s *State) drop(i int8) {
	copy(s.Puts[i:], s.Puts[i+1:])
	s.Puts[maxPuts-1] = put{}
	s.Flying--
}

// arrive is what the store makes of a PUT with If-None-Match; it says what promise that breaks.
func (c *Config) arrive(n *State, p put) string {
	have := &n.Versions[p.At]
	if have.Kind != absent && !c.without(Overwrite) {
		return ""
	}
	var bad string
	switch {
	case p.At <= n.Newest && have.Kind != absent:
		bad = "a version is overwritten"
	case p.At <= n.Newest:
		bad = "a version number is used twice"
	case p.At > n.Newest+1:
		bad = "a version has no predecessor"
	default:
		bad = falls(&n.Versions[n.Newest].Doc, &p.Doc)
	}
	*have = version{Kind: live, By: p.By, Doc: p.Doc}
	n.Newest = max(n.Newest, p.At)
	return bad
}

// falls says whether a position goes back from one version to the next.
func falls(before, after *doc) string {
	if after.Next < before.Next {
		return "the position in chunks goes back"
	}
	for p := range before.Pos {
		if after.Pos[p] < before.Pos[p] {
			return "a position goes back"
		}
	}
	return ""
}

// rewrite makes one file of all that are live.
func (t *turn) rewrite(i int8) {
	n := *t.s
	k := &n.Write[i]
	at, d, ok := n.load(k)
	if !ok || d.Live.count() < 2 || !n.spend(Upkeep) {
		return
	}
	k.Adds = d.Live
	k.Out = n.newFile()
	f := &n.Files[k.Out]
	f.There = 1
	for j := range d.Live.each {
		if n.Files[j].There == 0 {
			return // swept away under its hands: it begins again
		}
		for p := range f.Rows {
			f.Rows[p] |= n.Files[j].Rows[p]
		}
	}
	k.Phase, k.Last, k.Want = rewritten, at+1, d
	t.to(&n, Rewrites, i, 0)
}

// swap stages a compaction on the newest version, or abandons it.
func (t *turn) swap(i int8) {
	n := *t.s
	k := &n.Write[i]
	at, d, ok := n.load(k)
	if !ok {
		return
	}
	gone := !k.Adds.within(d.Live) && !t.c.without(SwapGone)
	if gone || n.fileAge(k.Out) != young && !t.c.without(SwapOld) {
		*k = fresh()
		k.Last = at + 1
		t.to(&n, Abandons, i, 0)
		return
	}
	pos, next := d.Pos, d.Next
	if t.c.without(SwapPosition) {
		pos, next = k.Want.Pos, k.Want.Next
	}
	k.Want = doc{Next: next, Pos: pos, Live: d.Live.without(k.Adds).with(k.Out)}
	k.Base, k.Last, k.Phase = at, at+1, staged
	t.to(&n, StagesSwap, i, 0)
}

// upkeep is sweep, expiry and a reader.
func (t *turn) upkeep() {
	if t.c.Sweep {
		t.sweep()
	}
	if t.c.Expire {
		t.expire()
	}
	if t.c.Reader {
		t.read()
	}
}

// expire leaves a tombstone in the place of the oldest version, if no query can need it, and it is neither the newest nor
// the one that the hint names.
func (t *turn) expire() {
	for at := int8(0); at < t.s.Newest && (at < t.s.Hint-1 || t.c.without(ExpireHinted)); at++ {
		if t.s.Versions[at].Kind != live {
			continue
		}
		if t.s.Versions[at].Past == 0 && !t.c.without(ExpireAtOnce) {
			return
		}
		n := *t.s
		v := &n.Versions[at]
		for i := range n.Write {
			if n.Write[i].Last == at+1 {
				n.Write[i].Cache = v.Doc
			}
		}
		v.Kind, v.Doc = tombstone, doc{}
		what := LeavesStone
		if t.c.without(FreeVersions) {
			v.Kind, what = absent, "expiry deletes version %d"
		}
		t.to(&n, what, at, 0)
		return
	}
}

// sweep commits a version, so that nobody can commit what was staged before, and takes what was old then and nothing names.
func (t *turn) sweep() {
	n := *t.s
	switch n.Sweep.Phase {
	case idle:
		for i := range int8(maxFiles) {
			if n.Files[i].There == 1 && n.Files[i].Age == old {
				n.Sweep.Files = n.Sweep.Files.with(i)
			}
		}
		if n.Sweep.Files == (set{}) || !n.spend(Upkeep) {
			return
		}
		n.Sweep.Phase = fenced
		if t.c.without(SweepUnfenced) {
			t.to(&n, "sweep begins, and commits nothing", 0, 0)
			return
		}
		bad := t.c.arrive(&n, put{At: n.Newest + 1, Doc: n.Versions[n.Newest].Doc})
		t.emit(Move{"sweep commits a version; what is old now may go", 0, 0}, &n, bad)
	case fenced:
		if !t.c.without(SweepByAge) {
			n.Sweep.Files = n.Sweep.Files.without(t.c.kept(&n))
		}
		n.Sweep.Phase = chosen
		t.to(&n, "sweep knows what nothing names", 0, 0)
	case chosen:
		for i := range n.Sweep.Files.each {
			n.Files[i].There = 0
		}
		n.Sweep.Phase, n.Sweep.Files = idle, set{}
		t.to(&n, "sweep takes what nothing named", 0, 0)
	}
}

// kept is what sweep leaves alone: files of versions that are not expired, of checkpoints that the table has not taken,
// committed or not.
func (c *Config) kept(s *State) (keep set) {
	for at := range s.Versions {
		if s.Versions[at].Kind == live {
			keep = keep.union(s.Versions[at].Doc.Live)
		}
	}
	if !c.without(SweepBlind) {
		for at := s.Versions[s.Newest].Doc.Next; at < s.Ends; at++ {
			if r := &s.Records[at]; r.Status == committed || r.Status == open && !c.without(SweepCommitted) {
				keep = keep.with(r.File)
			}
		}
	}
	return keep
}

// read is a query.
func (t *turn) read() {
	n := *t.s
	if n.Read.Phase == 1 {
		n.Read = reader{}
		t.to(&n, "a query ends", 0, 0)
		return
	}
	n.Read = reader{Phase: 1, Live: n.Versions[n.Newest].Doc.Live}
	t.to(&n, "a query plans by the newest version", 0, 0)
}

// environment is what comes from outside.
func (t *turn) environment() {
	s := t.s
	for p := range int8(t.c.Parts) { // a broker lets nobody touch the offsets of a group that has members
		if n := *s; s.Committed[p] > 0 && s.Member == [maxWorkers]int8{} && n.spend(Reset) {
			n.Committed[p] = 0
			t.to(&n, "the group's offset of partition %d is gone", p, 0)
		}
	}
	if at := s.Versions[s.Newest].Doc.Next; at < s.Ends && s.Records[at].Status == committed {
		if n := *s; n.spend(Erode) {
			n.Records[at].Status = aborted
			t.to(&n, "chunks loses record %d", at, 0)
		}
	}
	if n := *s; n.spend(Tick) {
		n.tick()
		t.to(&n, MuchTimeGoes, 0, 0)
	}
}

// tick lets time pass, compared to which sessions, transactions and queries are short.
func (s *State) tick() {
	s.Read = reader{}
	for at := range s.Newest {
		if s.Versions[at].Kind == live {
			s.Versions[at].Past = 1
		}
	}
	for i := range s.Files {
		if s.Files[i].There == 1 {
			s.Files[i].Age = min(s.Files[i].Age+1, old)
		}
	}
	for w := range s.Work {
		if x := &s.Txn[w]; x.Open == 1 && x.Decided == 0 {
			x.Decided = 2
		}
		if k := &s.Work[w]; k.Phase >= produced && k.Phase <= ending && s.Member[w] != outside {
			s.expel(int8(w))
		}
	}
}
