//go:build faults

package faults

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestPointWaitsForTheAnswerAndTheClockSteps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(Env, path)
	control = sync.OnceValue(dial)
	passed := make(chan struct{})
	go func() { Point(WorkerClosed); close(passed) }()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(nc).ReadString('\n')
	if err != nil || line != "1 worker.closed\n" {
		t.Fatalf("%q, %v", line, err)
	}
	select {
	case <-passed:
		t.Fatal("it went on without an answer")
	default:
	}
	fmt.Fprintf(nc, "clock %d\ngo 1\n", time.Hour)
	<-passed
	if ahead := time.Until(Now()); ahead < 59*time.Minute {
		t.Errorf("the clock is %v ahead", ahead)
	}
	nc.Close()
	Point(WorkerBuilt) // nobody is there: it goes on
}
