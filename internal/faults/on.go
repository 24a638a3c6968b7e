//go:build faults

package faults

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Env names the Unix socket of whoever wants to be asked.
const Env = "COLDSTREAM_FAULTS"

// Built says that this is a build with fault points.
const Built = true

var step atomic.Int64 // of the clock, in nanoseconds

// Now is the time by a clock that may have been stepped.
func Now() time.Time { return time.Now().Add(time.Duration(step.Load())) }

// Point tells who listens that the process has come to a step, and waits for the answer.
func Point(s Step) {
	if c := control(); c != nil {
		c.ask(s)
	}
}

// control is the connection; nil where none was asked for.
var control = sync.OnceValue(dial)

func dial() *conn {
	path := os.Getenv(Env)
	if path == "" {
		return nil
	}
	nc, err := net.Dial("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults: nobody listens:", err)
		return nil
	}
	c := &conn{nc: nc, waits: map[int64]chan struct{}{}, gone: make(chan struct{})}
	go c.read()
	return c
}

func init() { control() } // the clock may be stepped before the first step

// conn carries lines: "<id> <step>" out; "go <id>" and "clock <nanoseconds>" in.
type conn struct {
	nc   net.Conn
	gone chan struct{}

	mu    sync.Mutex
	last  int64
	waits map[int64]chan struct{}
}

func (c *conn) ask(s Step) {
	answer := make(chan struct{})
	c.mu.Lock()
	c.last++
	id := c.last
	c.waits[id] = answer
	_, err := fmt.Fprintf(c.nc, "%d %s\n", id, s)
	c.mu.Unlock()
	if err != nil {
		return
	}
	select {
	case <-answer:
	case <-c.gone:
	}
}

func (c *conn) read() {
	defer close(c.gone)
	for lines := bufio.NewScanner(c.nc); lines.Scan(); {
		var word string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &word, &n); err != nil {
			fmt.Fprintln(os.Stderr, "faults: not understood:", lines.Text())
			return
		}
		switch word {
		case "clock":
			step.Store(n)
		case "go":
			c.mu.Lock()
			if answer := c.waits[n]; answer != nil {
				close(answer)
				delete(c.waits, n)
			}
			c.mu.Unlock()
		}
	}
}
