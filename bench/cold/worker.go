package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// worker is the process under measurement, and what it writes to: a bucket, topics and a group of its own.
type worker struct {
	o      options
	dir    string
	name   string
	s3     string // as the worker sees it
	http   string
	topic  string
	table  *lake.Table
	cmd    *exec.Cmd
	log    *os.File
	exited chan struct{} // closed after err is set
	err    error
	began  time.Time
}

// prepare writes the configuration and runs init; stores is the store's address for the worker.
func prepare(ctx context.Context, o options, topic, store string) (*worker, error) {
	dir, err := os.MkdirTemp("", "coldstream-bench-cold-")
	if err != nil {
		return nil, err
	}
	w := &worker{o: o, dir: dir, name: "bench-cold-" + uuid.NewString()[:8], s3: store, topic: topic, exited: make(chan struct{})}
	if err := w.configure(); err != nil {
		return nil, err
	}
	if out, err := w.command(ctx, "init").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("init: %w\n%s", err, out)
	}
	objectStore, err := objects.Open(objects.Config{
		Endpoint: o.s3.endpoint, AccessKey: o.s3.access, SecretKey: o.s3.secret, Bucket: w.name,
	})
	if err != nil {
		return nil, err
	}
	w.table = lake.OpenEvents(objectStore)
	return w, nil
}

func (w *worker) config() string { return filepath.Join(w.dir, "coldstream.yaml") }

func (w *worker) configure() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.http = free.Addr().String()
	if err := free.Close(); err != nil {
		return err
	}
	doc, err := yaml.Marshal(map[string]any{
		"kafka": map[string]any{
			"brokers": []string{w.o.kafka}, "group": w.name,
			"topics": map[string]string{"events": w.topic, "chunks": w.name + "-chunks", "erasures": w.name + "-erasures", "dlq": w.name + "-dlq"},
		},
		"s3":   map[string]string{"endpoint": w.s3, "access_key": w.o.s3.access, "secret_key": w.o.s3.secret, "bucket": w.name},
		"http": map[string]string{"addr": w.http},
		"data": filepath.Join(w.dir, "data"),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(w.config(), doc, 0o600)
}

func (w *worker) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	args = append([]string{name, "--config", w.config(), "--pipelines", "cold,committer"}, args...)
	cmd := exec.CommandContext(ctx, w.o.binary, args...)
	cmd.Env = os.Environ()
	for _, s := range w.o.settings {
		key, value, _ := strings.Cut(s, "=")
		cmd.Env = append(cmd.Env, "COLDSTREAM_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))+"="+value)
	}
	return cmd
}

// start begins the measured time.
func (w *worker) start(ctx context.Context) (err error) {
	args := []string{"--serve"}
	if w.o.cpuprofile != "" {
		args = append(args, "--cpuprofile", w.o.cpuprofile)
	}
	if w.log, err = os.Create(filepath.Join(w.dir, "log")); err != nil {
		return err
	}
	w.cmd = w.command(ctx, "run", args...)
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	w.began = time.Now()
	if err := w.cmd.Start(); err != nil {
		return err
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.exited)
	}()
	return nil
}

// stop ends it as Ctrl-C does.
func (w *worker) stop() error {
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

// clean removes the folder, the topics and the group; the bucket goes with the store.
func (w *worker) clean(ctx context.Context, t *topics) {
	_ = os.RemoveAll(w.dir)
	_, _ = t.admin.DeleteTopics(ctx, w.name+"-chunks", w.name+"-erasures", w.name+"-dlq")
}

// dead says why the worker is not there any more.
func (w *worker) dead() error {
	select {
	case <-w.exited:
		tail, _ := os.ReadFile(filepath.Join(w.dir, "log"))
		return fmt.Errorf("the worker has ended: %w\n%s", w.err, tail[max(0, len(tail)-2000):])
	default:
		return nil
	}
}

type status struct {
	Failing  []string         `json:"failing"`
	Counters map[string]int64 `json:"counters"`
}

// status asks the worker; an error while it starts.
func (w *worker) status(ctx context.Context) (s status, err error) {
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

// checkpoint asks it to make durable what it holds.
func (w *worker) checkpoint(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.http+"/control/checkpoint", bytes.NewReader(nil))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
