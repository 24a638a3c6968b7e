package lake

import (
	"fmt"
	"strings"
	"time"
)

const dayMs = int64(24 * time.Hour / time.Millisecond)

// validate holds what must be true of every record; it reports the first thing that is not.
func (c *Checkpoint) validate() error {
	if c.ID == "" {
		return fmt.Errorf("%w: no id", ErrMalformed)
	}
	if len(c.Sources) == 0 {
		return fmt.Errorf("%w: %s names no source partition", ErrMalformed, c.ID)
	}
	seen := make(map[string]bool, len(c.Sources))
	for _, s := range c.Sources {
		if s.Cluster == "" || s.TopicID == "" || s.Partition < 0 || s.From < 0 || s.Next < s.From {
			return fmt.Errorf("%w: %s: source %+v", ErrMalformed, c.ID, s)
		}
		key := fmt.Sprintf("%s/%s/%d", s.Cluster, s.TopicID, s.Partition)
		if seen[key] {
			return fmt.Errorf("%w: %s names %s twice", ErrMalformed, c.ID, key)
		}
		seen[key] = true
	}
	if c.FilesObject != nil {
		if len(c.Files) > 0 && len(c.Files) != c.FilesObject.Count {
			return fmt.Errorf("%w: %s: %d files, %d announced", ErrMalformed, c.ID, len(c.Files), c.FilesObject.Count)
		}
		if err := relative(c.FilesObject.Path); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrMalformed, c.ID, err)
		}
	}
	return validateFiles(c.ID, c.Files)
}

func validateFiles(id string, files []DataFile) error {
	paths := make(map[string]bool, len(files))
	for i := range files {
		f := &files[i]
		if err := f.validate(); err != nil {
			return fmt.Errorf("%w: %s: %s: %w", ErrMalformed, id, f.Path, err)
		}
		if paths[f.Path] {
			return fmt.Errorf("%w: %s names %s twice", ErrMalformed, id, f.Path)
		}
		paths[f.Path] = true
	}
	return nil
}

func (f *DataFile) validate() error {
	if err := relative(f.Path); err != nil {
		return err
	}
	if f.Size <= 0 || f.Rows <= 0 || f.Hash == "" {
		return fmt.Errorf("size %d, rows %d, hash %q", f.Size, f.Rows, f.Hash)
	}
	var rows int64
	for _, c := range f.Chunks {
		if days(c.WindowMs) != f.Day {
			return fmt.Errorf("window %d lies outside day %d", c.WindowMs, f.Day)
		}
		rows += c.Rows
	}
	if rows != f.Rows {
		return fmt.Errorf("chunks have %d rows, file %d", rows, f.Rows)
	}
	return f.validateStats()
}

func (f *DataFile) validateStats() error {
	timed := false
	for _, s := range f.Stats {
		if (len(s.Lower) > 0 || len(s.Upper) > 0) && NoBounds(s.FieldID) {
			return fmt.Errorf("bounds of field %d would be user text in manifests", s.FieldID)
		}
		if s.FieldID != FieldEventTime {
			continue
		}
		timed = true
		for _, b := range [][]byte{s.Lower, s.Upper} {
			us, err := readLongBound(b)
			if err != nil {
				return fmt.Errorf("bounds of event_time: %w", err)
			}
			if days(floorDiv(us, 1000)) != f.Day {
				return fmt.Errorf("event_time %d µs lies outside day %d: a file may not cross a day", us, f.Day)
			}
		}
	}
	if !timed {
		return fmt.Errorf("no statistics of event_time")
	}
	return nil
}

// relative refuses paths that could leave the table's folder.
func relative(path string) error {
	if path == "" || strings.HasPrefix(path, "/") || strings.Contains(path, "..") || strings.Contains(path, "://") {
		return fmt.Errorf("path %q is not below the table", path)
	}
	return nil
}

// days gives the day of a time in Unix milliseconds, as days since 1970-01-01, negative before.
func days(ms int64) int32 { return int32(floorDiv(ms, dayMs)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
