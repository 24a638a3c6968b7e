package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/coldstream/coldstream/embedded/broker"
)

// What is not the pipeline runs in children of this process, so that it is neither in its CPU time nor in its profile:
// the broker, and the generator that fills the topic. A child is this binary again.
const (
	envRole = "COLDSTREAM_BENCH_CHILD" // roleBroker or roleFill
	envArg  = "COLDSTREAM_BENCH_ARG"   // its data folder, or the topic to fill

	roleBroker = "broker"
	roleFill   = "fill"
)

// childMain serves as a child and does not return, if this process was started as one.
func childMain() {
	var err error
	switch os.Getenv(envRole) {
	case "":
		return
	case roleBroker:
		err = serveBroker(os.Getenv(envArg))
	case roleFill:
		var made contents
		if made, err = fill(context.Background(), os.Getenv(envTestKafka), os.Getenv(envArg)); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(made)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func newChild(role, arg string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envRole+"="+role, envArg+"="+arg)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// kafkaChild is the broker's process.
var kafkaChild struct {
	once  sync.Once
	cmd   *exec.Cmd
	stdin io.Closer
	dir   string
	err   error
}

// startBroker starts the embedded broker, unless a real one is named, and tells the test kit where it is.
func startBroker(b *testing.B) {
	b.Helper()
	kafkaChild.once.Do(func() {
		if os.Getenv(envTestKafka) == "" {
			kafkaChild.err = spawnBroker()
		}
	})
	if kafkaChild.err != nil {
		b.Fatalf("bench: start broker: %v", kafkaChild.err)
	}
}

func spawnBroker() (err error) {
	k := &kafkaChild
	if k.dir, err = os.MkdirTemp("", "coldstream-bench-"); err != nil {
		return err
	}
	cmd, err := newChild(roleBroker, k.dir)
	if err != nil {
		return err
	}
	if k.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	k.cmd = cmd
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read its address: %w", err)
	}
	return os.Setenv(envTestKafka, strings.TrimSpace(addr))
}

func stopBroker() error {
	k := &kafkaChild
	if k.cmd == nil {
		return nil
	}
	_ = k.stdin.Close() // which ends it
	err := k.cmd.Wait()
	_ = os.RemoveAll(k.dir)
	return err
}

// serveBroker prints the broker's address and serves until the parent closes the input or dies.
func serveBroker(dir string) error {
	b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return b.Close()
}
