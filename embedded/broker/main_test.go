package broker_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/internal/testkit"
)

// Where a child of the test binary keeps its data and listens; set only for such a child.
const (
	childDirEnv  = "BROKER_TEST_CHILD_DIR"
	childAddrEnv = "BROKER_TEST_CHILD_ADDR"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDirEnv); dir != "" {
		if err := serveChild(dir, os.Getenv(childAddrEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.Main(m)
}

// serveChild runs a broker until standard input ends, and closes it.
func serveChild(dir, addr string) error {
	b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Addr: addr, Log: discard()})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return b.Close()
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// child is a broker in a process of its own, which can be killed.
type child struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startChild serves dir at addr (port 0: any) from a child process. It is killed with the test.
func startChild(t *testing.T, dir, addr string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDirEnv+"="+dir, childAddrEnv+"="+addr)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, stdin: stdin}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("broker child did not start: %v", err)
	}
	c.addr = strings.TrimSpace(line)
	return c
}

// kill ends the child as `kill -9` does and waits for it.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// stop ends the child in order.
func (c *child) stop(t *testing.T) {
	t.Helper()
	_ = c.stdin.Close()
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("broker child: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("broker child did not end within 20 s")
	}
}
