package clickhouse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	childEnv = "COLDSTREAM_CLICKHOUSE_CHILD" // set: this process is the engine's child; its value is a sandbox, as JSON
	entered  = "entered"                     // its value once the process is in the sandbox
	stopLine = "stop"                        // the parent asks for a graceful end

	holdFD, readyFD = 3, 4 // the pipes that the parent passes

	takeoverTimeout = 3 * time.Second // how long a start waits for the lock and the port of a dying predecessor
	drainTimeout    = 3 * time.Second // how long a graceful end waits for running requests
	killTimeout     = 5 * time.Second // how long stopped queries have to tell their clients
)

// childConfig is what the parent tells the child, as JSON.
type childConfig struct {
	Dir, Addr, Library, Database, User, Password, AnalystUser, AnalystPassword string
	S3                                                                         *S3Access
}

func (c *Config) child() childConfig {
	return childConfig{
		Dir: c.Dir, Addr: c.Addr, Library: c.Library, Database: c.Database, User: c.User, Password: c.Password,
		AnalystUser: c.AnalystUser, AnalystPassword: c.AnalystPassword, S3: c.S3,
	}
}

// readyMessage is the child's one answer.
type readyMessage struct{ Addr, Error string }

// ChildMain runs the engine and never returns, if this process was started as the engine's child; otherwise it returns
// at once. It must be called first in main, and in TestMain of every package whose tests start an engine.
func ChildMain() {
	value := os.Getenv(childEnv)
	if value == "" {
		return
	}
	if value != entered {
		if err := enterSandbox(childEnv, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Unsetenv(childEnv)
	hold, ready := os.NewFile(holdFD, "hold"), os.NewFile(readyFD, "ready")
	if hold == nil || ready == nil {
		fmt.Fprintln(os.Stderr, childEnv+" is set, but no parent has started this process")
		os.Exit(2)
	}
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE) // the parent decides
	if err := runChild(hold, ready); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// enterSandbox closes this thread in and executes the program anew, so that all its threads are, with the environment
// variable env saying so. It returns nil, still outside, where the kernel has no such thing.
func enterSandbox(env, value string) error {
	var s sandbox
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		return fmt.Errorf("read the sandbox of the ClickHouse engine: %w", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	switch err := s.enter(); {
	case errors.Is(err, errNoSandbox):
		fmt.Fprintln(os.Stderr, "the ClickHouse engine runs without a sandbox of the kernel:", err)
		return nil
	case err != nil:
		return fmt.Errorf("close the ClickHouse engine in: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := os.Setenv(env, entered); err != nil {
		return fmt.Errorf("close the ClickHouse engine in: %w", err)
	}
	err = syscall.Exec(exe, os.Args, os.Environ())
	return fmt.Errorf("execute %s in the sandbox: %w", exe, err)
}

func runChild(hold, ready *os.File) error {
	lines := bufio.NewReader(hold)
	var cfg childConfig
	text, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &cfg)
	}
	if err != nil {
		return fmt.Errorf("read the configuration from the parent: %w", err)
	}
	stop := make(chan struct{})
	go watchParent(lines, stop)
	f, listener, err := boot(cfg)
	if err != nil {
		_ = json.NewEncoder(ready).Encode(readyMessage{Error: err.Error()})
		return err
	}
	server := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute, IdleTimeout: 5 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := json.NewEncoder(ready).Encode(readyMessage{Addr: listener.Addr().String()}); err != nil {
		return fmt.Errorf("tell the parent: %w", err)
	}
	ready.Close()
	select {
	case err := <-failed:
		return fmt.Errorf("serve ClickHouse on %s: %w", cfg.Addr, err)
	case <-stop:
	}
	drain(server, f)
	f.close()
	return nil
}

// drain lets running requests end by themselves for a while, then stops their queries and gives them time to say so.
func drain(server *http.Server, f *front) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if server.Shutdown(ctx) == nil {
		return
	}
	f.killAll()
	ctx, cancel = context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// watchParent ends the process the moment that the parent is gone. Its data stands that: what was committed is in
// files, the rest never happened.
func watchParent(lines *bufio.Reader, stop chan<- struct{}) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		if strings.TrimSpace(line) == stopLine {
			close(stop)
		}
	}
}

// boot takes the folder's lock, starts the engine and opens the port.
func boot(cfg childConfig) (*front, net.Listener, error) {
	if err := lockFolder(cfg.Dir); err != nil {
		return nil, nil, err
	}
	config, err := writeConfig(cfg)
	if err != nil {
		return nil, nil, err
	}
	listener, err := listen(cfg.Addr)
	if err != nil {
		return nil, nil, err
	}
	e, err := openEngine(cfg.Library, append([]string{
		"--path=" + filepath.Join(cfg.Dir, "data") + "/",
		"--config-file=" + config,
	}, sessionDefaults...))
	if err != nil {
		return nil, nil, err
	}
	go lowerMerges()
	f, err := newFront(e, cfg, listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	return f, listener, nil
}

// lockFolder keeps a second engine out of a folder. The lock is the kernel's, so a killed process leaves none.
func lockFolder(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock the ClickHouse folder: %w", err)
	}
	for deadline := time.Now().Add(takeoverTimeout); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the ClickHouse folder %s is in use by another process: %w", dir, err)
	}
	lockFile = file
	return nil
}

// lockFile holds the locked file open for the life of the process: a collected os.File closes, and with it goes the lock.
var lockFile *os.File //nolint:unused // it is written so that it stays reachable

// listen opens the port; one that a dying predecessor still holds is waited for.
func listen(addr string) (net.Listener, error) {
	for deadline := time.Now().Add(takeoverTimeout); ; time.Sleep(20 * time.Millisecond) {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return nil, fmt.Errorf("listen for ClickHouse's HTTP clients: %w", err)
		}
	}
}
