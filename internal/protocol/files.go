package protocol

// sets calls f with every set of files.
func (s *State) sets(f func(*set)) {
	for i := range s.Newest + 1 {
		f(&s.Versions[i].Doc.Live)
	}
	for i := range s.Write {
		k := &s.Write[i]
		f(&k.Want.Live)
		f(&k.Adds)
		f(&k.Cache.Live)
	}
	for i := range s.Flying {
		f(&s.Puts[i].Doc.Live)
	}
	f(&s.Sweep.Files)
	f(&s.Read.Live)
}

// single calls f with every name of one file.
func (s *State) single(f func(*int8)) {
	for i := range s.Ends {
		f(&s.Records[i].File)
	}
	for i := range s.Work {
		f(&s.Work[i].File)
	}
	for i := range s.Write {
		f(&s.Write[i].Out)
	}
}

// named gives the files that someone names. The others can be forgotten: their names are never used again.
func (s *State) named() (all set) {
	s.sets(func(x *set) { all = all.union(*x) })
	s.single(func(i *int8) { all = all.with(*i) })
	return all
}

// nameFiles numbers the files by what they are and who names them, so that their order tells nothing.
func (s *State) nameFiles() {
	named := s.named()
	if named.count() == 0 {
		return
	}
	// A bit for each place that can name a file: at most 12 versions, 12 of writers, 4 PUTs, sweep and query; 8 records, 2
	// of workers, 4 outputs. Above them what the file is. Files that agree in all of it can change places.
	var marks [maxFiles]uint64
	for i := range named.each {
		f := &s.Files[i]
		marks[i] = uint64(f.There)<<61 | uint64(f.Age)<<62 | uint64(f.Rows[0])<<53 | uint64(f.Rows[1]&0x1f)<<48
	}
	place := uint64(1)
	s.sets(func(x *set) {
		for i := range x.each {
			marks[i] |= place
		}
		place <<= 1
	})
	s.single(func(x *int8) {
		if *x != none {
			marks[*x] |= place
		}
		place <<= 1
	})
	var order [maxFiles]int8
	n := 0
	for i := range named.each {
		at := n
		for ; at > 0 && marks[order[at-1]] > marks[i]; at-- {
			order[at] = order[at-1]
		}
		order[at] = i
		n++
	}
	s.rename(order[:n])
}

// rename gives the file that stands at a place of order that place's number.
func (s *State) rename(order []int8) {
	var to [maxFiles]int8
	same := true
	for n, i := range order {
		to[i] = int8(n)
		same = same && i == int8(n)
	}
	if same {
		return
	}
	var files [maxFiles]file
	for n, i := range order {
		files[n] = s.Files[i]
	}
	s.Files = files
	s.sets(func(x *set) {
		var y set
		for i := range x.each {
			y = y.with(to[i])
		}
		*x = y
	})
	s.single(func(x *int8) {
		if *x != none {
			*x = to[*x]
		}
	})
}
