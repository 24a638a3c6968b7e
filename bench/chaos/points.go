package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// traps are what waits for a process to come to a step of the protocol.
type traps struct {
	mu    sync.Mutex
	armed []*trap
	seen  map[string]int // how often each step was come to
	conns map[string]net.Conn
	clock map[string]time.Duration // step of each process's clock
}

// trap is sprung once, by the first of the processes that comes to the step.
type trap struct {
	step  string
	slots []string
	hit   chan hit
}

// hit is a process that stands at a step until it is let go.
type hit struct {
	slot string
	let  func()
}

// listen answers the processes of one slot.
func (t *traps) listen(slot, path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket of %s: %w", slot, err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go t.serve(slot, c)
		}
	}()
	return l, nil
}

func (t *traps) serve(slot string, c net.Conn) {
	defer c.Close()
	t.mu.Lock()
	t.conns[slot] = c
	if d := t.clock[slot]; d != 0 {
		fmt.Fprintf(c, "clock %d\n", d)
	}
	t.mu.Unlock()
	for lines := bufio.NewScanner(c); lines.Scan(); {
		var id int64
		var step string
		if _, err := fmt.Sscan(lines.Text(), &id, &step); err != nil {
			return
		}
		let := func() { fmt.Fprintf(c, "go %d\n", id) }
		if tr := t.spring(slot, step); tr != nil {
			tr.hit <- hit{slot, let}
			continue
		}
		let()
	}
}

// spring takes the trap that a process has come to, if there is one.
func (t *traps) spring(slot, step string) *trap {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[step]++
	i := slices.IndexFunc(t.armed, func(tr *trap) bool { return tr.step == step && slices.Contains(tr.slots, slot) })
	if i < 0 {
		return nil
	}
	tr := t.armed[i]
	t.armed = slices.Delete(t.armed, i, i+1)
	return tr
}

// arm sets a trap and gives who comes to it first, or false after patience.
func (t *traps) arm(step string, slots []string, patience time.Duration) (hit, bool) {
	return t.armUntil(nil, step, slots, patience)
}

// armUntil is arm, but gives up when who is waited for has ended.
func (t *traps) armUntil(ended <-chan struct{}, step string, slots []string, patience time.Duration) (hit, bool) {
	tr := &trap{step: step, slots: slots, hit: make(chan hit, 1)}
	t.mu.Lock()
	t.armed = append(t.armed, tr)
	t.mu.Unlock()
	select {
	case h := <-tr.hit:
		return h, true
	case <-ended:
	case <-time.After(patience):
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.armed, tr); i >= 0 {
		t.armed = slices.Delete(t.armed, i, i+1)
		return hit{}, false
	}
	return <-tr.hit, true
}

// stepClock moves the clock of a slot's processes.
func (t *traps) stepClock(slot string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clock[slot] = d
	if c := t.conns[slot]; c != nil {
		fmt.Fprintf(c, "clock %d\n", d)
	}
}
