package objectstore

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"
)

const (
	// childEnv marks a process as a child that serves a store.
	childEnv = "COLDSTREAM_OBJECTSTORE_CHILD"
	// closeGrace is how long Close waits for a child before it kills it.
	closeGrace = 15 * time.Second
)

// childRequest is the first line that a child reads: its configuration. Its standard input then stays open for as long
// as its parent lives; closeWord asks for an orderly end, the end of input (a dead parent) ends it at once.
type childRequest struct{ Dir, Addr, AccessKey, SecretKey, Region string }

const closeWord = "close"

// childReply is the one line that a child writes.
type childReply struct{ Addr, Error string }

// ChildMain serves a store and exits, if this process was started to do so by StartChild; otherwise it returns at
// once. Call it first in main, and in TestMain of tests that use StartChild.
func ChildMain() {
	if os.Getenv(childEnv) == "" {
		return
	}
	out := os.Stdout
	os.Stdout = os.Stderr // versitygw prints notices there
	if err := childServe(bufio.NewReader(os.Stdin), out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childServe is the child's life.
func childServe(in *bufio.Reader, out io.Writer) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("objectstore child: read configuration: %w", err)
	}
	var req childRequest
	if err := json.Unmarshal(line, &req); err != nil {
		return fmt.Errorf("objectstore child: parse configuration: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := Start(context.Background(), Config{
		Dir: req.Dir, Addr: req.Addr, AccessKey: req.AccessKey, SecretKey: req.SecretKey, Region: req.Region, Log: log,
	})
	reply := childReply{}
	if err != nil {
		reply.Error = err.Error()
	} else {
		reply.Addr = s.Addr()
	}
	if err := json.NewEncoder(out).Encode(reply); err != nil || s == nil {
		return err
	}
	parent := make(chan string, 1)
	go func() {
		word, _ := in.ReadString('\n')
		parent <- word
	}()
	select {
	case <-s.Done():
		return s.Err()
	case word := <-parent:
		if word != closeWord+"\n" {
			os.Exit(1) // the parent is gone: nobody waits for an orderly end
		}
		return s.Close()
	}
}

// StartChild serves the folder from a child process of this program, which must call ChildMain first. Any number of
// children may run. A child never outlives its parent, however that ends. ctx bounds the start alone.
func StartChild(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("objectstore: find this program: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("objectstore: child: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("objectstore: child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("objectstore: start child: %w", err)
	}
	addr, err := greet(ctx, cfg, stdin, stdout)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return superviseChild(cmd, stdin, addr), nil
}

// greet sends the configuration and waits for the address.
func greet(ctx context.Context, cfg Config, stdin io.Writer, stdout io.Reader) (string, error) {
	req := childRequest{Dir: cfg.Dir, Addr: cfg.Addr, AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey, Region: cfg.Region}
	if err := json.NewEncoder(stdin).Encode(req); err != nil {
		return "", fmt.Errorf("objectstore: configure child: %w", err)
	}
	type answer struct {
		reply childReply
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.err = json.NewDecoder(stdout).Decode(&a.reply)
		answers <- a
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout+closeGrace)
	defer cancel()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("objectstore: wait for child: %w", ctx.Err())
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("objectstore: child said nothing (does the program call ChildMain first?): %w", a.err)
		}
		if a.reply.Error != "" {
			return "", errors.New(a.reply.Error)
		}
		return a.reply.Addr, nil
	}
}

// superviseChild is the Store of a child that serves.
func superviseChild(cmd *exec.Cmd, stdin io.WriteCloser, addr string) *Store {
	s := &Store{addr: addr, done: make(chan struct{})}
	go func() { s.end(cmd.Wait()) }()
	s.stop = func() error {
		_, _ = io.WriteString(stdin, closeWord+"\n") // a dead child is reported by Wait
		_ = stdin.Close()
		select {
		case <-s.done:
		case <-time.After(closeGrace):
			_ = cmd.Process.Kill()
			<-s.done
		}
		return s.Err()
	}
	return s
}
