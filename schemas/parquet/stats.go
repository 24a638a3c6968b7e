package parquet

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

// add counts a column chunk.
func (s *Stats) add(w *chunkWriter) {
	s.Values += w.meta.NumValues
	s.Nulls += int64(w.enc.nulls)
	s.Bytes += w.meta.TotalCompressedSize
	switch t := &w.total; {
	case !t.has:
	case s.IsText:
		if least := string(t.minText); !s.HasBounds || least < s.MinText {
			s.MinText = least
		}
		if greatest := string(t.maxText); !s.HasBounds || greatest > s.MaxText {
			s.MaxText = greatest
		}
		s.HasBounds = true
	case !s.HasBounds:
		s.Min, s.Max, s.HasBounds = t.min, t.max, true
	default:
		s.Min, s.Max = min(s.Min, t.min), max(s.Max, t.max)
	}
}
