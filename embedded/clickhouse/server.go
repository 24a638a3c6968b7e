package clickhouse

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
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Config says what the engine serves, to whom and from where.
type Config struct {
	Dir      string // the engine's data folder; made if absent
	Addr     string // host:port to listen on; port 0 picks a free one
	Library  string // path of libchdb.so; "" asks FindLibrary
	Database string // made at start, both users' default database; "" is "coldstream"

	User, Password               string // may do everything except reach files, programs and other hosts; both required
	AnalystUser, AnalystPassword string // may only read; no such user if AnalystUser is ""

	S3  *S3Access    // the object store that Iceberg and S3 engines may read; nil for none
	Log *slog.Logger // the child's log; nil for slog.Default
}

// S3Access is the one place outside its folder that the engine may read.
type S3Access struct {
	Endpoint  string // "http://127.0.0.1:9000", without bucket
	AccessKey string
	SecretKey string
	Bucket    string
}

// validate reports everything wrong with a configuration at once.
func (c *Config) validate() error {
	var errs []error
	for name, value := range map[string]string{"Dir": c.Dir, "Addr": c.Addr, "User": c.User, "Password": c.Password} {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", name))
		}
	}
	if c.AnalystUser != "" && (c.AnalystPassword == "" || c.AnalystUser == c.User) {
		errs = append(errs, errors.New("the analyst needs a name and a password of its own"))
	}
	if c.S3 != nil && (c.S3.Endpoint == "" || c.S3.Bucket == "") {
		errs = append(errs, errors.New("S3 needs an endpoint and a bucket"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("embedded ClickHouse configuration: %w", errors.Join(errs...))
	}
	return nil
}

// sandbox is what the child may touch, as JSON.
func (c *Config) sandbox() string {
	s := sandbox{Dir: c.Dir, Library: c.Library}
	if c.S3 != nil {
		s.S3 = c.S3.Endpoint
	}
	text, _ := json.Marshal(s) // strings only
	return string(text)
}

// How long the parent waits.
const (
	startTimeout = 2 * time.Minute  // for the first answer; a large data folder takes its time
	closeTimeout = 15 * time.Second // for a graceful end before the child is killed
)

// Server is a running child. Its methods may be called concurrently.
type Server struct {
	addr   string
	cmd    *exec.Cmd
	hold   *os.File // open while the parent lives; a line in it asks the child to end
	done   chan struct{}
	err    error // set before done is closed
	tail   *logTail
	closer sync.Once
	asked  bool // Close was called; guarded by mu
	mu     sync.Mutex
}

// Start starts the engine in a child process and returns once it answers. ctx limits the start, not the server's life.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := prepare(&cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s := &Server{done: make(chan struct{}), tail: &logTail{log: cfg.Log}}
	ready, err := s.spawn(cfg)
	if err != nil {
		return nil, fmt.Errorf("start the ClickHouse engine: %w", err)
	}
	defer ready.Close()
	answers := make(chan readyMessage, 1)
	go func() {
		var m readyMessage
		if json.NewDecoder(ready).Decode(&m) == nil {
			answers <- m
		}
	}()
	select {
	case m := <-answers:
		if m.Error != "" {
			s.Close()
			return nil, fmt.Errorf("start the ClickHouse engine: %s", m.Error)
		}
		s.addr = m.Addr
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("start the ClickHouse engine: %w", s.err)
	case <-ctx.Done():
		s.kill()
		<-s.done
		return nil, fmt.Errorf("start the ClickHouse engine: %w", ctx.Err())
	}
}

// prepare checks cfg, fills its defaults and makes its paths absolute.
func prepare(cfg *Config) (err error) {
	if err := cfg.validate(); err != nil {
		return err
	}
	if err := supported(); err != nil {
		return err
	}
	if cfg.Database == "" {
		cfg.Database = "coldstream"
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Library == "" {
		if cfg.Library, err = FindLibrary(); err != nil {
			return err
		}
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return fmt.Errorf("embedded ClickHouse folder: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the ClickHouse folder: %w", err)
	}
	return nil
}

// spawn starts the child: its configuration goes in through the pipe that also tells it of our death, its readiness
// comes back through another.
func (s *Server) spawn(cfg Config) (ready *os.File, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	holdRead, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer holdRead.Close()
	ready, readyWrite, err := os.Pipe()
	if err != nil {
		hold.Close()
		return nil, err
	}
	defer readyWrite.Close()
	s.hold = hold
	s.cmd = exec.Command(exe)
	s.cmd.Args = []string{"coldstream-clickhouse"}
	s.cmd.Dir = cfg.Dir
	s.cmd.Env = append(os.Environ(), "TZ=UTC", childEnv+"="+cfg.sandbox())
	s.cmd.ExtraFiles = []*os.File{holdRead, readyWrite}
	s.cmd.Stdout, s.cmd.Stderr = s.tail, s.tail
	s.cmd.WaitDelay = time.Second
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go s.wait(started)
	if err := <-started; err != nil {
		hold.Close()
		ready.Close()
		return nil, err
	}
	if err := json.NewEncoder(hold).Encode(cfg.child()); err != nil {
		s.kill()
		ready.Close()
		return nil, fmt.Errorf("send the configuration: %w", err)
	}
	return ready, nil
}

// wait starts the child and waits for its end, on one thread: the kernel sends the death signal when the thread that
// forked ends, not the process.
func (s *Server) wait(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		close(s.done)
		return
	}
	err = s.cmd.Wait()
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if !asked {
		if err == nil {
			err = errors.New("it ended by itself")
		}
		s.err = fmt.Errorf("the ClickHouse engine (pid %d): %w%s", s.cmd.Process.Pid, err, s.tail.last())
	}
	s.hold.Close()
	close(s.done)
}

func (s *Server) kill() { _ = s.cmd.Process.Kill() }

// Addr is the host:port that the child listens on.
func (s *Server) Addr() string { return s.addr }

// PID is the child's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Done is closed when the child has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why the child ended; nil while it runs and after Close.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close lets running queries go, ends the child and waits for it; a child that takes longer than 15 seconds is killed.
// It may be called again.
func (s *Server) Close() error {
	s.closer.Do(func() {
		s.mu.Lock()
		s.asked = true
		s.mu.Unlock()
		_, _ = io.WriteString(s.hold, stopLine+"\n")
	})
	select {
	case <-s.done:
	case <-time.After(closeTimeout):
		s.kill()
		<-s.done
	}
	return nil
}

// logTail passes the child's output to the log line by line and keeps its end for the error of an unexpected death.
type logTail struct {
	log   *slog.Logger
	mu    sync.Mutex
	part  []byte
	lines []string
}

const tailLines = 12

// Write implements io.Writer for the child's output.
func (t *logTail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part = append(t.part, p...)
	for {
		n, line, _ := bufio.ScanLines(t.part, false)
		if n == 0 {
			return len(p), nil
		}
		t.lines = append(t.lines, string(line))
		if len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
		t.log.Debug("clickhouse", "line", string(line))
		t.part = t.part[n:]
	}
}

func (t *logTail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return "; its last words:\n" + strings.Join(t.lines, "\n")
}
