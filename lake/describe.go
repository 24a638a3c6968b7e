package lake

import "github.com/coldstream/coldstream/schemas/parquet"

// Describe says of a finished chunk file what a checkpoint or a swap announces: path is below the table's location, day
// the day of every row, policy the redaction policy that every row went through.
func Describe(f *parquet.File, path string, day int32, policy int64) DataFile {
	d := DataFile{
		Path: path, Size: int64(len(f.Bytes)), Hash: Hash(f.Bytes), Rows: f.Rows, Day: day, Policy: policy, Splits: f.Splits,
	}
	for _, c := range f.Chunks {
		d.Chunks = append(d.Chunks, Chunk(c))
	}
	for i := range f.Stats {
		d.Stats = append(d.Stats, columnStats(&f.Stats[i]))
	}
	return d
}

func columnStats(s *parquet.Stats) ColumnStats {
	c := ColumnStats{FieldID: s.FieldID, Values: s.Values, Nulls: s.Nulls, Bytes: s.Bytes}
	switch {
	case !s.HasBounds || NoBounds(s.FieldID):
	case s.IsText:
		if c.Lower, c.Upper = TextBounds(s.MinText, s.MaxText); c.Upper == nil {
			c.Lower = nil
		}
	case s.IsInt:
		c.Lower, c.Upper = IntBound(int32(s.Min)), IntBound(int32(s.Max))
	default:
		c.Lower, c.Upper = LongBound(s.Min), LongBound(s.Max)
	}
	return c
}
