package objectstore_test

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

	"github.com/minio/minio-go/v7"

	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/testkit"
)

// A child of the test binary serves the folder named by one of these until its standard input ends: in its own process
// (childDirEnv), or in a child of its own (parentDirEnv).
const (
	childDirEnv  = "OBJECTSTORE_TEST_CHILD_DIR"
	parentDirEnv = "OBJECTSTORE_TEST_PARENT_DIR"
)

const accessKey, secretKey = "coldstream", "coldstream-secret"

func TestMain(m *testing.M) {
	objectstore.ChildMain()
	for env, start := range map[string]starter{childDirEnv: objectstore.Start, parentDirEnv: objectstore.StartChild} {
		if dir := os.Getenv(env); dir != "" {
			if err := serveUntilEOF(dir, start); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	testkit.Main(m)
}

type starter = func(context.Context, objectstore.Config) (*objectstore.Store, error)

// serveUntilEOF is what such a child does.
func serveUntilEOF(dir string, start starter) error {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := start(context.Background(), objectstore.Config{Dir: dir, AccessKey: accessKey, SecretKey: secretKey, Log: log})
	if err != nil {
		return err
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Close()
}

// process is a store in a process of its own, which can be killed.
type process struct {
	access testkit.S3Access
	cmd    *exec.Cmd
	stdin  io.Closer
}

// serve starts a process that serves dir by itself. It is killed with the test.
func serve(t *testing.T, dir string) *process { return serveAs(t, childDirEnv, dir) }

func serveAs(t *testing.T, role, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+dir)
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
	p := &process{cmd: cmd, stdin: stdin}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("store did not start: %v", err)
	}
	p.access = testkit.S3Access{
		Endpoint: strings.TrimSpace(line), AccessKey: accessKey, SecretKey: secretKey, Region: "us-east-1", Bucket: "bucket",
	}
	return p
}

// bucket makes the bucket that the process's access names.
func (p *process) bucket(t *testing.T) store {
	t.Helper()
	s := store{t: t, core: minio.Core{Client: p.access.Client(t)}, bucket: p.access.Bucket}
	if err := s.core.MakeBucket(t.Context(), s.bucket, minio.MakeBucketOptions{}); err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
		t.Fatal(err)
	}
	return s
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// stop ends the process in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("store process: %v", err)
	}
}
