package protocol

import "fmt"

// wrong says which promise a state breaks; "" for none.
func (c *Config) wrong(s *State) string {
	for at := range s.Newest + 1 {
		if v := &s.Versions[at]; v.Kind == live {
			if bad := c.wrongDoc(s, &v.Doc); bad != "" {
				return bad
			}
		}
	}
	for i := range s.Read.Live.each {
		if s.Files[i].There == 0 {
			return "a query lacks a file that its version names"
		}
	}
	if !c.Lossy {
		if bad := c.stops(s); bad != "" {
			return bad
		}
	}
	if s.Hint > 0 {
		switch s.Versions[s.Hint-1].Kind {
		case absent:
			return "the hint names a version that is not there"
		case tombstone:
			return "the hint names a version that has expired"
		}
	}
	return ""
}

// stops says at what the committer will stop, so that nothing is lost or doubled, and somebody must look.
func (c *Config) stops(s *State) string {
	d := s.Versions[s.Newest].Doc
	for at := d.Next; at < s.stable(); at++ {
		r := &s.Records[at]
		if r.Status != committed {
			continue
		}
		take, ok := c.apply(&d, r)
		switch {
		case !ok:
			return "the committer stops: a checkpoint starts neither at the position nor lies below it"
		case take && s.Files[r.File].There == 0 && !c.without(NoFileCheck):
			return "the committer stops: a checkpoint names a file that is not there"
		}
	}
	return ""
}

// wrongDoc looks at one version: below its positions every event is in its files once, above them none is, and the files
// are there.
func (c *Config) wrongDoc(s *State, d *doc) string {
	if d.Twice == 1 {
		return "a file is in the table twice"
	}
	for p := range int8(c.Parts) {
		for o := range int8(c.Events) {
			count := 0
			for i := range d.Live.each {
				if s.Files[i].Rows[p]&(1<<o) != 0 {
					count++
				}
			}
			switch {
			case count > 1:
				return fmt.Sprintf("event %d/%d is in the table %d times", p, o, count)
			case count == 0 && o < d.Pos[p]:
				return fmt.Sprintf("event %d/%d is below the table's position and not in the table", p, o)
			case count == 1 && o >= d.Pos[p]:
				return fmt.Sprintf("event %d/%d is in the table above its position", p, o)
			}
		}
	}
	for i := range d.Live.each {
		if s.Files[i].There == 0 {
			return "a version names a file that is not there"
		}
	}
	return ""
}

// wrongStep says which promise a step breaks, beside those of the state that it leads to.
func wrongStep(before, after *State) string {
	if after.Hint < before.Hint {
		return "the hint falls"
	}
	return ""
}

// complete says whether the table has every event.
func (c *Config) complete(s *State) bool {
	for p := range c.Parts {
		if int(s.Versions[s.Newest].Doc.Pos[p]) < c.Events {
			return false
		}
	}
	return true
}
