package protocol

import (
	"bytes"
	"cmp"
	"slices"
	"unsafe"
)

// bytes gives the state's bytes: it has no others than int8 and uint8, so no padding.
func (s *State) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s)), unsafe.Sizeof(*s))
}

// canon gives the one state that stands for all that differ from s by names alone, or by what nobody can see any more.
func (c *Config) canon(s *State) State {
	base := *s
	c.trim(&base)
	var best, n State
	for way := range 8 {
		if way&1 != 0 && c.Workers < 2 || way&2 != 0 && c.Committers < 2 || way&4 != 0 && c.Compactors < 2 {
			continue
		}
		n = base
		if way&1 != 0 {
			n.swapWorkers()
		}
		if way&2 != 0 {
			n.swapWriters(0, 1)
		}
		if way&4 != 0 {
			n.swapWriters(int8(c.Committers), int8(c.Committers)+1)
		}
		n.sortPuts()
		n.nameFiles()
		if way == 0 || bytes.Compare(n.bytes(), best.bytes()) < 0 {
			best = n
		}
	}
	return best
}

// sortPuts makes their order tell nothing. It is too seldom that two agree in number, author and position to look further.
func (s *State) sortPuts() {
	if s.Flying < 2 {
		return
	}
	slices.SortStableFunc(s.Puts[:s.Flying], func(a, b put) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.By, b.By), cmp.Compare(a.Doc.Next, b.Doc.Next), cmp.Compare(a.Doc.Live.count(), b.Doc.Live.count()))
	})
}

func (s *State) swapWorkers() {
	s.Work[0], s.Work[1] = s.Work[1], s.Work[0]
	s.Member[0], s.Member[1] = s.Member[1], s.Member[0]
	s.Txn[0], s.Txn[1] = s.Txn[1], s.Txn[0]
	for p := range s.Owner {
		if s.Owner[p] > 0 {
			s.Owner[p] = 3 - s.Owner[p]
		}
	}
}

func (s *State) swapWriters(a, b int8) {
	s.Write[a], s.Write[b] = s.Write[b], s.Write[a]
	other := func(by int8) int8 {
		switch by {
		case a + 1:
			return b + 1
		case b + 1:
			return a + 1
		}
		return by
	}
	for i := range s.Newest + 1 {
		s.Versions[i].By = other(s.Versions[i].By)
	}
	for i := range s.Flying {
		s.Puts[i].By = other(s.Puts[i].By)
	}
}

// trim cuts off what no one can see any more.
func (c *Config) trim(s *State) {
	c.trimVersions(s)
	c.trimRecords(s)
	named := s.named()
	for i := range int8(maxFiles) {
		if !named.has(i) {
			s.Files[i] = file{}
		}
	}
	if !c.Sweep {
		for i := range s.Files {
			s.Files[i].Age = young
		}
	}
}

// trimVersions forgets what versions say that nobody reads again, and shifts the numbers down.
func (c *Config) trimVersions(s *State) {
	read, ask := s.Newest, s.Newest // lowest whose document can be read, lowest whose number can be asked for
	if s.Hint > 0 {
		read = min(read, s.Hint-1)
	}
	for i := range s.Write {
		k := &s.Write[i]
		if k.Last > 0 {
			read = min(read, k.Last-1)
		}
		if k.Phase >= staged {
			ask = min(ask, k.Base+1)
		}
	}
	for i := range s.Flying {
		ask = min(ask, s.Puts[i].At)
	}
	if c.Expire || c.Sweep { // old versions can be read as long as they are there
		for at := range read {
			if s.Versions[at].Kind == live {
				read = at
				break
			}
		}
	}
	ask = min(ask, read)
	for at := range read {
		if s.Versions[at].Kind == live {
			s.Versions[at] = version{Kind: unread, By: s.Versions[at].By}
		}
	}
	if ask <= 0 {
		return
	}
	copy(s.Versions[:], s.Versions[ask:])
	clear(s.Versions[maxVersions-ask:])
	s.Newest -= ask
	if s.Hint > 0 {
		s.Hint -= ask
	}
	for i := range s.Write {
		k := &s.Write[i]
		if k.Last > 0 {
			k.Last -= ask
		}
		if k.Phase >= staged {
			k.Base -= ask
		}
		if k.Phase == hinting && k.Seen > 0 {
			k.Seen = max(k.Seen-ask, -1)
		}
	}
	for i := range s.Flying {
		s.Puts[i].At -= ask
	}
}

// docs calls f with every document that someone can read or write yet.
func (s *State) docs(f func(*doc)) {
	for i := range s.Newest + 1 {
		if v := &s.Versions[i]; v.Kind == live {
			f(&v.Doc)
		}
	}
	for i := range s.Write {
		if k := &s.Write[i]; k.Phase >= rewritten {
			f(&k.Want)
		}
		if k := &s.Write[i]; k.Last > 0 {
			if s.Versions[k.Last-1].Kind == live {
				k.Cache = doc{}
			} else {
				f(&k.Cache)
			}
		}
	}
	for i := range s.Flying {
		f(&s.Puts[i].Doc)
	}
}

// trimRecords forgets records below every position.
func (c *Config) trimRecords(s *State) {
	low := s.stable()
	for w := range s.Txn {
		if s.Txn[w].Open == 1 {
			low = min(low, s.Txn[w].Record)
		}
	}
	s.docs(func(d *doc) { low = min(low, d.Next) })
	if c.without(OffsetOfGroup) {
		low = min(low, s.Shown)
	} else {
		s.Shown = 0
	}
	for i := range s.Records {
		if s.Records[i].Status == aborted {
			s.Records[i] = record{Status: aborted, File: none}
		}
	}
	if low <= 0 {
		return
	}
	copy(s.Records[:], s.Records[low:])
	clear(s.Records[maxRecords-low:])
	s.Ends -= low
	s.Shown = max(0, s.Shown-low)
	s.docs(func(d *doc) { d.Next -= low })
	for w := range s.Txn {
		if s.Txn[w].Open == 1 {
			s.Txn[w].Record -= low
		}
	}
}
