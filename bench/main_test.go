package bench_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/testkit"
)

const (
	envEvents    = "COLDSTREAM_BENCH_EVENTS"
	envBroker    = "COLDSTREAM_BENCH_BROKER" // set: this process is the broker's child; its value is the data folder
	envTestKafka = "COLDSTREAM_TEST_KAFKA"   // a broker that is there already, as the test kit takes it
	partitions   = 4
)

// events is how many distinct events a run reads.
var events int64 = 500_000

func TestMain(m *testing.M) {
	if dir := os.Getenv(envBroker); dir != "" {
		if err := serveBroker(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	objectstore.ChildMain()
	clickhouse.ChildMain()
	if s := os.Getenv(envEvents); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "%s=%q: want a number of events\n", envEvents, s)
			os.Exit(2)
		}
		events = n
	}
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
		describe()
	}
	code := testkit.Run(m)
	if err := stopBroker(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: stop broker:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// describe prints what the figures depend on, as benchstat's configuration lines.
func describe() {
	kafka := "embedded, in a process of its own"
	if os.Getenv(envTestKafka) != "" {
		kafka = "real"
	}
	s3 := "embedded, in a process of its own"
	if testkit.RealS3() {
		s3 = "real"
	}
	fmt.Printf("go: %s\ncores: %d\nevents: %d\npartitions: %d\nbroker: %s\nobject-store: %s\nclickhouse: libchdb %s, in a process of its own\n",
		runtime.Version(), runtime.NumCPU(), events, partitions, kafka, s3, clickhouse.Version)
}

// child is the broker's process.
var child struct {
	once  sync.Once
	cmd   *exec.Cmd
	stdin io.Closer
	dir   string
	err   error
}

// startBroker starts the embedded broker outside of this process, so that its CPU time is not the pipeline's, and tells
// the test kit where it is. A real broker that was named is used instead.
func startBroker(b *testing.B) {
	b.Helper()
	child.once.Do(func() {
		if os.Getenv(envTestKafka) == "" {
			child.err = spawnBroker()
		}
	})
	if child.err != nil {
		b.Fatalf("bench: start broker: %v", child.err)
	}
}

func spawnBroker() (err error) {
	if child.dir, err = os.MkdirTemp("", "coldstream-bench-"); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envBroker+"="+child.dir)
	cmd.Stderr = os.Stderr
	if child.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	child.cmd = cmd
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read its address: %w", err)
	}
	return os.Setenv(envTestKafka, strings.TrimSpace(addr))
}

func stopBroker() error {
	if child.cmd == nil {
		return nil
	}
	_ = child.stdin.Close() // which ends it
	err := child.cmd.Wait()
	_ = os.RemoveAll(child.dir)
	return err
}

// serveBroker is the child: it prints the broker's address and serves until the parent closes its input or dies.
func serveBroker(dir string) error {
	b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return b.Close()
}
