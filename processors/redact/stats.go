package redact

import (
	"fmt"
	"io"
	"time"
)

// Stats is what a Run has seen.
type Stats struct {
	Texts   int64 // lines read
	Found   int64 // texts that held anything
	Dropped int64 // texts that the policy drops
	Bytes   int64 // of texts
	Took    time.Duration
	Types   []TypeStats
}

// TypeStats is what was found of a type.
type TypeStats struct {
	Type   string
	Action string
	Spans  int64
}

// count adds a text.
func (s *Stats) count(e *Engine, text []byte, spans []Span) {
	s.Texts++
	s.Bytes += int64(len(text))
	if len(spans) == 0 {
		return
	}
	s.Found++
	for _, sp := range spans {
		s.Types[sp.Type].Spans++
	}
	if e.Drops(spans) {
		s.Dropped++
	}
}

// newStats has every type of an engine, with nothing found.
func (e *Engine) newStats() Stats {
	s := Stats{Types: make([]TypeStats, len(e.names))}
	for t, name := range e.names {
		s.Types[t] = TypeStats{Type: name, Action: e.actions[t].String()}
	}
	return s
}

// Write prints the numbers for a person, types that were found alone.
func (s *Stats) Write(w io.Writer) error {
	seconds := max(s.Took.Seconds(), 1e-9)
	if _, err := fmt.Fprintf(w, "%d messages, %d with something found, %d dropped; %d bytes in %v: %.0f messages/s, %.0f bytes/s\n",
		s.Texts, s.Found, s.Dropped, s.Bytes, s.Took.Round(time.Microsecond), float64(s.Texts)/seconds, float64(s.Bytes)/seconds); err != nil {
		return err
	}
	for _, t := range s.Types {
		if t.Spans == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%8d  %-15s %s\n", t.Spans, t.Type, t.Action); err != nil {
			return err
		}
	}
	return nil
}
