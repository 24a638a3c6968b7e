package parquet

import "github.com/coldstream/coldstream/schemas"

// Stats is what a manifest says of one column. Bounds are left out (HasBounds false) for user text and for columns
// without a value.
type Stats struct {
	FieldID   int
	Values    int64 // nulls included
	Nulls     int64
	Bytes     int64 // compressed
	HasBounds bool
	IsText    bool  // bounds are MinText and MaxText
	IsInt     bool  // a 32-bit column
	Min, Max  int64 // times in Unix microseconds
	MinText   string
	MaxText   string
}

func newStats() []Stats {
	s := make([]Stats, len(columns))
	for i := range columns {
		s[i] = Stats{FieldID: columns[i].id, IsText: columns[i].kind == kindText, IsInt: columns[i].kind == kindInt}
	}
	return s
}

func (s *Stats) add(c *column, b *schemas.Batch, rows []int32) {
	s.Values += int64(len(rows))
	for _, r := range rows {
		switch {
		case c.null(b, r):
			s.Nulls++
		case !c.bounds:
		case c.longs != nil:
			s.addNumber((*c.longs(b))[r])
		case c.ints != nil:
			s.addNumber(int64((*c.ints(b))[r]))
		default:
			s.addText(b.Bytes((*c.texts(b))[r]))
		}
	}
}

func (s *Stats) addNumber(n int64) {
	if !s.HasBounds {
		s.Min, s.Max, s.HasBounds = n, n, true
	}
	s.Min, s.Max = min(s.Min, n), max(s.Max, n)
}

func (s *Stats) addText(p []byte) {
	switch {
	case !s.HasBounds:
		s.MinText, s.MaxText, s.HasBounds = string(p), string(p), true
	case string(p) < s.MinText:
		s.MinText = string(p)
	case string(p) > s.MaxText:
		s.MaxText = string(p)
	}
}
