package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// never are what no ordinary fault may make a process say: each stops the archive until somebody looks, or is a mistake in
// the program.
var never = []string{
	"panic:", "fatal error:", "DATA RACE", "gap: offsets before the checkpoint", "overlap: part of the checkpoint", "the table's metadata is damaged",
	"a file of the checkpoint is missing", "foreign cluster or topic", "malformed checkpoint", "unknown format version",
	"are not of this table", "records of topic chunks that the table does not have are gone", "offset out of range",
}

// logScanner keeps what a process says in a file, and notices sentences.
type logScanner struct {
	file  *os.File
	name  string
	wrong func(text string)

	mu      sync.Mutex
	rest    []byte
	allowed []string // of never, what a scenario brings about
	wait    map[string]chan string
}

// Write is called by the goroutine that copies the process's output.
func (l *logScanner) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		l.line(string(l.rest[:i]))
		l.rest = l.rest[i+1:]
	}
}

func (l *logScanner) line(text string) {
	fmt.Fprintf(l.file, "%s %s\n", time.Now().Format("15:04:05.000"), text)
	for want, found := range l.wait {
		if strings.Contains(text, want) && strings.Contains(text, "part stopped") {
			found <- text
			delete(l.wait, want)
		}
	}
	if strings.Contains(text, "level=DEBUG") { // what is tried again, and may pass
		return
	}
	for _, bad := range never {
		if strings.Contains(text, bad) && !l.isAllowed(bad) {
			l.wrong(l.name + " says: " + text)
		}
	}
}

func (l *logScanner) isAllowed(bad string) bool {
	for _, a := range l.allowed {
		if strings.Contains(bad, a) || strings.Contains(a, bad) {
			return true
		}
	}
	return false
}

func (l *logScanner) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.file, "%s %s\n", time.Now().Format("15:04:05.000"), text)
}

// expect gives a channel that gets the next line by which a part stops with want, and allows the sentences from now on.
func (l *logScanner) expect(want string, allow ...string) <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(chan string, 1)
	if l.wait == nil {
		l.wait = map[string]chan string{}
	}
	l.wait[want] = found
	l.allowed = append(l.allowed, allow...)
	return found
}
