package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"
)

// WorkerConfig says what a worker runs and on what. What is not said is the product's default.
type WorkerConfig struct {
	Binary     string
	Name       string // of its group, its bucket, and the beginning of its topics' names; empty: a new one
	Parts      string // of run --pipelines
	Kafka      string // host:port
	Topic      string
	S3         *S3               // a bucket of its own is made there; nil: none
	ClickHouse map[string]string // the section of the configuration; nil: none
	Settings   Settings
	CPUProfile string // file; empty: none
}

// Worker is `coldstream run` in a process of its own, and what it writes to: topics, groups and a bucket of its own.
type Worker struct {
	Name  string // of its group, its bucket, and the beginning of its topics' names
	Began time.Time

	c      WorkerConfig
	dir    string
	http   string
	cmd    *exec.Cmd
	log    *os.File
	exited chan struct{} // closed after err is set
	err    error
}

// PrepareWorker writes the configuration and runs init.
func PrepareWorker(ctx context.Context, c WorkerConfig) (*Worker, error) {
	dir, err := os.MkdirTemp("", "coldstream-bench-")
	if err != nil {
		return nil, err
	}
	w := &Worker{Name: c.Name, c: c, dir: dir}
	if w.Name == "" {
		w.Name = "bench-" + uuid.NewString()[:8]
	}
	if err := w.configure(); err != nil {
		return nil, err
	}
	if out, err := w.Command(ctx, "init", "--pipelines", c.Parts).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("init: %w\n%s", err, out)
	}
	return w, nil
}

func (w *Worker) configure() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.http = free.Addr().String()
	if err := free.Close(); err != nil {
		return err
	}
	list := map[string]any{
		"kafka": map[string]any{
			"brokers": []string{w.c.Kafka}, "group": w.Name,
			"topics": map[string]string{"events": w.c.Topic, "chunks": w.Name + "-chunks", "erasures": w.Name + "-erasures", "dlq": w.Name + "-dlq"},
		},
		"http": map[string]string{"addr": w.http},
		"data": filepath.Join(w.dir, "data"),
	}
	if w.c.S3 != nil {
		list["s3"] = map[string]string{"endpoint": w.c.S3.Endpoint, "access_key": w.c.S3.AccessKey, "secret_key": w.c.S3.SecretKey, "bucket": w.Name}
	}
	if w.c.ClickHouse != nil {
		list["clickhouse"] = maps.Clone(w.c.ClickHouse)
	}
	doc, err := yaml.Marshal(list)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, "coldstream.yaml"), doc, 0o600)
}

// Command is a command of the worker's program with its configuration.
func (w *Worker) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.c.Binary, append([]string{name, "--config", filepath.Join(w.dir, "coldstream.yaml")}, args...)...)
	cmd.Env = w.c.Settings.env()
	return cmd
}

// Start begins the measured time.
func (w *Worker) Start(ctx context.Context) (err error) {
	args := []string{"--pipelines", w.c.Parts, "--serve"}
	if w.c.CPUProfile != "" {
		args = append(args, "--cpuprofile", w.c.CPUProfile)
	}
	if w.log, err = os.Create(filepath.Join(w.dir, "log")); err != nil {
		return err
	}
	w.cmd = w.Command(ctx, "run", args...)
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	w.Began, w.exited = time.Now(), make(chan struct{})
	if err := w.cmd.Start(); err != nil {
		return err
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.exited)
	}()
	return nil
}

// Stop ends it as Ctrl-C does.
func (w *Worker) Stop() error {
	select {
	case <-w.exited:
	default:
		_ = w.cmd.Process.Signal(syscall.SIGINT) // it may have ended meanwhile
	}
	<-w.exited
	_ = w.log.Close()
	var exit *exec.ExitError
	if errors.As(w.err, &exit) && exit.ExitCode() == 130 { // interrupted, as it was asked to be
		return nil
	}
	return w.err
}

// Clean removes the folder and the topics; the bucket goes with the store, and groups with the broker.
func (w *Worker) Clean(ctx context.Context, t *Topics) {
	_ = os.RemoveAll(w.dir)
	_, _ = t.Admin.DeleteTopics(ctx, w.Name+"-chunks", w.Name+"-erasures", w.Name+"-dlq")
}

// Await asks again and again until it is ready, fails, or the worker ends.
func (w *Worker) Await(ctx context.Context, every time.Duration, ready func() (bool, error)) error {
	for {
		ok, err := ready()
		if ok || err != nil {
			return err
		}
		if err := w.dead(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}

// dead says why the worker is not there any more.
func (w *Worker) dead() error {
	select {
	case <-w.exited:
		tail, _ := os.ReadFile(filepath.Join(w.dir, "log"))
		return fmt.Errorf("the worker has ended: %w\n%s", w.err, tail[max(0, len(tail)-2000):])
	default:
		return nil
	}
}

// Log is what it has written since it was started last.
func (w *Worker) Log() ([]byte, error) { return os.ReadFile(filepath.Join(w.dir, "log")) }

// Usage is what its process has used since it began.
func (w *Worker) Usage() (Usage, error) { return UsageOf(w.cmd.Process.Pid) }

// Status is what /status.json says.
type Status struct {
	Failing  []string         `json:"failing"`
	Counters map[string]int64 `json:"counters"`
}

// Status asks the worker; an error while it starts.
func (w *Worker) Status(ctx context.Context) (s Status, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.http+"/status.json", http.NoBody)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer func() { _ = resp.Body.Close() }()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// Checkpoint asks it to make durable what it holds.
func (w *Worker) Checkpoint(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.http+"/control/checkpoint", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
