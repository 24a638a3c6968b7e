package protocol

func fresh() writer { return writer{Out: none} }

// apply moves a position past a checkpoint and says whether its file is to be taken; false for both: it is neither at the
// position nor wholly below.
func (c *Config) apply(d *doc, r *record) (take, ok bool) {
	equal, below, gap := true, true, false
	for p := range r.From {
		if r.From[p] == none {
			continue
		}
		equal = equal && r.From[p] == d.Pos[p]
		below = below && r.Next[p] <= d.Pos[p]
		gap = gap || r.From[p] > d.Pos[p]
	}
	switch {
	case equal, c.without(NoComparison), gap && c.without(TakeGaps), !gap && !below && c.without(TakeOverlaps):
	default:
		return false, below
	}
	for p := range r.From {
		if r.From[p] != none {
			d.Pos[p] = max(d.Pos[p], r.Next[p])
		}
	}
	return true, true
}

// load finds the newest version as a writer does: on from the one that it has seen, else from the hint. It gives the index
// and what the version says; false where the table cannot be read.
func (s *State) load(k *writer) (int8, doc, bool) {
	at, d := k.Last-1, k.Cache
	if at < 0 {
		at = s.Hint - 1
	}
	switch {
	case at < 0:
		return s.highest()
	case s.Versions[at].Kind == live:
		d = s.Versions[at].Doc
	case k.Last > 0: // what a writer has read it remembers
	case s.Versions[at].Kind == tombstone:
		return s.highest()
	default:
		return 0, d, false // the hint names what is not there
	}
	for at+1 < maxVersions {
		switch next := &s.Versions[at+1]; next.Kind {
		case tombstone:
			return s.highest()
		case absent:
			return at, d, true
		default:
			at, d = at+1, next.Doc
		}
	}
	return at, d, true
}

// highest lists the versions.
func (s *State) highest() (int8, doc, bool) {
	for at := int8(maxVersions) - 1; at >= 0; at-- {
		if s.Versions[at].Kind != absent {
			return at, s.Versions[at].Doc, s.Versions[at].Kind == live
		}
	}
	return 0, doc{}, false
}

// writer is what a process that commits to the table may do.
func (t *turn) writer(i int8) {
	s := t.s
	k := &s.Write[i]
	switch k.Phase {
	case idle:
		if int(i) < t.c.Committers {
			t.plan(i)
		} else {
			t.rewrite(i)
		}
	case rewritten:
		t.swap(i)
	case staged:
		t.send(i)
	case sent:
		n := *s
		if n.spend(Lost) {
			n.Write[i].Phase = doubt
			t.to(&n, HearsNothing, i, 0)
		}
	case doubt:
		t.settle(i)
	case done, hinting:
		t.raiseHint(i)
	}
	if *k != fresh() {
		n := *s
		if n.spend(Crash) {
			n.disown(i)
			n.Write[i] = fresh()
			t.to(&n, Killed, i, 0)
		}
	}
}

// disown ends a writer's attempt: nobody looks for it any more.
func (s *State) disown(i int8) {
	for v := range s.Versions {
		if s.Versions[v].By == i+1 {
			s.Versions[v].By = 0
		}
	}
	for p := range s.Flying {
		if s.Puts[p].By == i+1 {
			s.Puts[p].By = 0
		}
	}
}

// plan looks at the records behind the position, one or all of them.
func (t *turn) plan(i int8) {
	s := t.s
	base, d, ok := s.load(&s.Write[i])
	if !ok {
		return
	}
	from := d.Next
	if t.c.without(OffsetOfGroup) {
		from = s.Shown
	}
	end := s.stable()
	for to := from + 1; to <= end; to = max(to+1, end) {
		n := *s
		k := &n.Write[i]
		if k.Want, k.Adds, ok = t.c.planTo(s, d, from, to); !ok {
			continue
		}
		k.Base, k.Phase = base, staged
		if t.c.Manifests {
			k.Out = n.newFile()
			n.Files[k.Out].There = 1
			k.Want.add(bit(k.Out))
		}
		k.Last, k.Cache = base+1, d
		t.to(&n, Plans, i, to)
	}
}

// planTo gives the version that takes the records [from, to); false where there is none to take, or one must not be.
func (c *Config) planTo(s *State, d doc, from, to int8) (want doc, adds set, ok bool) {
	taken := false
	for at := from; at < to; at++ {
		r := &s.Records[at]
		if r.Status != committed {
			continue
		}
		take, fits := c.applyOrNot(&d, r)
		if !fits {
			return d, adds, false
		}
		if take && s.Files[r.File].There == 0 && !c.without(NoFileCheck) {
			return d, adds, false
		}
		if take {
			adds, taken = adds.with(r.File), true
		}
	}
	d.add(adds)
	d.Next = to
	return d, adds, taken
}

// applyOrNot takes whatever comes where the table has no position.
func (c *Config) applyOrNot(d *doc, r *record) (take, ok bool) {
	if !c.without(OffsetOfGroup) {
		return c.apply(d, r)
	}
	for p := range r.Next {
		d.Pos[p] = max(d.Pos[p], r.Next[p])
	}
	return true, true
}

// send puts the next version on its way.
func (t *turn) send(i int8) {
	n := *t.s
	k := &n.Write[i]
	if t.c.without(Reload) && int(i) < t.c.Committers {
		n.rebase(k)
	}
	if n.Flying == maxPuts {
		return
	}
	n.Puts[n.Flying] = put{At: k.Base + 1, By: i + 1, Doc: k.Want}
	n.Flying++
	k.Phase = sent
	t.to(&n, Sends, i, 0)
}

// rebase puts what a writer adds on the newest version, whatever position that has.
func (s *State) rebase(k *writer) {
	if base, d, ok := s.load(k); ok {
		k.Base = base
		k.Want.Live = d.Live
		k.Want.add(k.Adds)
		k.Want.Next = max(k.Want.Next, d.Next)
		for p := range d.Pos {
			k.Want.Pos[p] = max(k.Want.Pos[p], d.Pos[p])
		}
	}
}

// settle looks whether an attempt took place all the same.
func (t *turn) settle(i int8) {
	s := t.s
	n := *s
	k := &n.Write[i]
	mine := false
	for v := k.Base + 1; v < maxVersions; v++ { // in its place, or, once that has expired, in the snapshots of a later one
		mine = mine || n.Versions[v].By == i+1
	}
	unheard := n.Versions[k.Base+1].Kind == absent
	switch {
	case mine, unheard && t.c.without(UnknownIsDone):
		n.disown(i)
		k.Phase = done
		t.to(&n, Finds, i, 0)
		return
	case t.c.without(BlindRetry) && int(i) < t.c.Committers:
		n.disown(i)
		n.rebase(k)
		k.Phase = staged
		t.to(&n, "writer %d sends its files again on the newest version", i, 0)
		return
	}
	n.disown(i)
	if unheard && t.c.without(UnknownIsFailed) && k.Out != none {
		n.Files[k.Out].There = 0
	}
	k.Phase = rewritten
	if int(i) < t.c.Committers {
		last, cache := k.Last, k.Cache
		*k = fresh()
		k.Last, k.Cache = last, cache
	}
	t.to(&n, LooksAgain, i, 0)
}

// raiseHint moves the hint to the writer's version, in two requests.
func (t *turn) raiseHint(i int8) {
	n := *t.s
	k := &n.Write[i]
	switch {
	case t.c.without(HintFalls):
		n.Hint = k.Base + 2
		t.finish(&n, i, "writer %d writes the hint")
	case k.Phase == hinting && n.Hint != k.Seen:
		k.Phase = done
		t.to(&n, HintMoved, i, 0)
	case k.Phase == hinting:
		n.Hint = k.Base + 2
		t.finish(&n, i, RaisesHint)
	case n.Hint >= k.Base+2:
		t.finish(&n, i, HintIsHigh)
	default:
		k.Phase, k.Seen = hinting, n.Hint
		t.to(&n, ReadsHint, i, 0)
	}
}

// finish ends a commit.
func (t *turn) finish(n *State, i int8, what string) {
	k := &n.Write[i]
	if int(i) < t.c.Committers {
		n.Shown = max(n.Shown, k.Want.Next)
	}
	last, cache := k.Base+2, k.Want
	*k = fresh()
	k.Last, k.Cache = last, cache
	if n.Versions[last-1].Kind == live {
		k.Cache = doc{}
	}
	t.to(n, what, i, 0)
}
