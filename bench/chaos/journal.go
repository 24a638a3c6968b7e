package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// entry is one line of the log.
type entry struct {
	At    time.Time `json:"at"`
	Run   string    `json:"run"`
	Seed  uint64    `json:"seed"`
	Code  string    `json:"code,omitempty"` // commit: a seed's plan is that of the commit's kinds
	What  string    `json:"what"`           // fault, check or wrong
	World int       `json:"world,omitempty"`

	// Of a fault.
	N      int    `json:"n,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Step   string `json:"step,omitempty"`
	Fired  bool   `json:"fired,omitempty"`
	TookMs int64  `json:"took_ms,omitempty"`
	Detail string `json:"detail,omitempty"`

	// Of a check.
	Records  int     `json:"records,omitempty"` // committed records below the table's position
	Rows     int     `json:"rows,omitempty"`    // in the table
	Files    int     `json:"files,omitempty"`
	Letters  int     `json:"letters,omitempty"` // dead letters
	Seconds  float64 `json:"seconds,omitempty"` // since the run began
	MaxLagMs int64   `json:"max_commit_lag_ms,omitempty"`
	Mutant   string  `json:"mutant,omitempty"`
}

// journal appends to the log that all runs share.
type journal struct {
	run  string
	seed uint64
	code string

	mu   sync.Mutex
	file *os.File
}

func openJournal(path, run, code string, seed uint64) (*journal, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &journal{run: run, seed: seed, code: code, file: f}, nil
}

// write adds a line, at once and whole.
func (j *journal) write(e entry) {
	e.At, e.Run, e.Seed, e.Code = time.Now().UTC().Truncate(time.Millisecond), j.run, j.seed, j.code
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // it has only strings and numbers
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		say("log: %v", err)
	}
}

func (j *journal) close() {
	if err := j.file.Close(); err != nil {
		say("log: %v", err)
	}
}
