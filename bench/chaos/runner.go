package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Slots: who has proxies and a listener of the broker's to itself.
var (
	workerSlots    = []string{"w1", "w2", "w3"}
	committerSlots = []string{"c1", "c2"}
	spareSlots     = []string{"w4", "c3"} // a worker that comes and goes, a committer of another group
)

func allSlots() []string {
	return append(append(append([]string{}, workerSlots...), committerSlots...), spareSlots...)
}

// runner is one run: the servers, the proxies and the binary, which the worlds use one after the other.
type runner struct {
	o       options
	root    string // of the repository
	dir     string // of this run
	id      string
	binary  string
	began   time.Time
	journal *journal

	kafka, minio *server
	direct       string // the broker without a proxy
	store        string // the object store without a proxy
	slots        map[string]*slot
	traps        *traps
	closers      []func()

	mu         sync.Mutex
	violations int
	first      string // violation
	worlds     int
	fired      map[string]int // of every kind in the plan
	planned    map[string]int // tried, by kind
}

// slot is what is between one process and the servers.
type slot struct {
	name          string
	kafka, s3     *wire
	front         *s3Front
	kafkaAt, s3At string // where its process finds them
	socket        string
	faulty        sync.Mutex // held while a fault has the process itself
}

func newRunner(ctx context.Context, o options) (*runner, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return nil, err
	}
	r := &runner{
		o: o, root: root, dir: dir, id: time.Now().UTC().Format("20060102T150405"), began: time.Now(), slots: map[string]*slot{},
		traps: &traps{seen: map[string]int{}, conns: map[string]net.Conn{}, clock: map[string]time.Duration{}},
		fired: map[string]int{}, planned: map[string]int{},
	}
	if r.journal, err = openJournal(o.log, r.id, commitOf(root), o.seed); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.build, r.serve} {
		if err := step(ctx); err != nil {
			r.close()
			return nil, err
		}
	}
	r.began = time.Now()
	return r, nil
}

// repository is the root of the checkout that the runner was started in.
func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	file := strings.TrimSpace(string(out))
	if err != nil || filepath.Base(file) != "go.mod" {
		return "", fmt.Errorf("run it inside the repository: %w", err)
	}
	return filepath.Dir(file), nil
}

// commitOf names the commit of the checkout; empty where there is none.
func commitOf(root string) string {
	cmd := exec.Command("git", "describe", "--always", "--dirty")
	cmd.Dir = root
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}

// build makes the binary with its fault points, and with a mistake if one was asked for.
func (r *runner) build(ctx context.Context) error {
	if r.o.binary != "" {
		r.binary = r.o.binary
		return nil
	}
	r.binary = filepath.Join(r.dir, "coldstream")
	args := []string{"build", "-tags", "faults", "-o", r.binary}
	if r.o.race {
		args = append(args, "-race")
	}
	if r.o.mutant != "" {
		overlay, err := overlayOf(r.root, r.dir, r.o.mutant)
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	say("building coldstream with its fault points")
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/coldstream")...)
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	return nil
}

// serve starts the servers and the proxies.
func (r *runner) serve(ctx context.Context) error {
	libs, minioBinary, err := r.fetch(ctx)
	if err != nil {
		return err
	}
	names := allSlots()
	free, err := ports(4 + 3*len(names))
	if err != nil {
		return err
	}
	b := broker{dir: filepath.Join(r.dir, "kafka"), direct: free[0], controller: free[1]}
	r.direct, r.store = loopback(free[0]), loopback(free[2])
	api := newToxiproxy()
	for i, name := range names {
		p := free[4+3*i:]
		b.clients = append(b.clients, listener{strings.ToUpper(name), p[0], p[1]})
		if err := r.slot(api, name, p[0], p[1], p[2]); err != nil {
			return err
		}
	}
	say("starting Apache Kafka and MinIO in %s", r.dir)
	for name, make := range map[string]func(*os.File) (*server, error){
		"minio": func(log *os.File) (*server, error) {
			return minio(minioBinary, filepath.Join(r.dir, "minio"), free[2], free[3], log), nil
		},
		"kafka": func(log *os.File) (*server, error) { return kafka(ctx, b, libs, r.root, log) },
	} {
		log, err := os.Create(filepath.Join(r.dir, name+".log"))
		if err != nil {
			return err
		}
		s, err := make(log)
		if err == nil {
			err = s.start(ctx)
			r.closers = append(r.closers, func() { s.end(syscall.SIGTERM) })
		}
		if err != nil {
			return err
		}
		if name == "kafka" {
			r.kafka = s
		} else {
			r.minio = s
		}
	}
	return nil
}

// fetch asks the script for Kafka's jars and MinIO's binary.
func (r *runner) fetch(ctx context.Context) (libs, minioBinary string, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.root, "scripts/real-servers.sh"), "fetch")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("fetch Kafka and MinIO: %w", err)
	}
	for line := range bytes.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(string(line), "export ")), "=")
		switch key {
		case "COLDSTREAM_KAFKA_LIBS":
			libs = value
		case "COLDSTREAM_MINIO":
			minioBinary = value
		}
	}
	return libs, minioBinary, nil
}

// slot makes what is between one process and the servers.
func (r *runner) slot(api apiServer, name string, kafkaPort, kafkaProxy, s3Proxy int) error {
	s := &slot{name: name, front: newS3Front(r.store), kafkaAt: loopback(kafkaProxy), s3At: loopback(s3Proxy), socket: filepath.Join(r.dir, name+".sock")}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web := &http.Server{Handler: s.front, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(l) }()
	if s.kafka, err = newWire(api, name+"-kafka", kafkaProxy, loopback(kafkaPort)); err != nil {
		return err
	}
	if s.s3, err = newWire(api, name+"-s3", s3Proxy, l.Addr().String()); err != nil {
		return err
	}
	points, err := r.traps.listen(name, s.socket)
	if err != nil {
		return err
	}
	r.slots[name] = s
	r.closers = append(r.closers, func() { web.Close(); points.Close(); s.kafka.proxy.Stop(); s.s3.proxy.Stop() })
	return nil
}

func (r *runner) late() bool { return r.o.within > 0 && time.Since(r.began) > r.o.within }

// wrong notes a violation.
func (r *runner) wrong(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	r.mu.Lock()
	if r.violations++; r.violations == 1 {
		r.first = text
	}
	many := r.violations > 20
	r.mu.Unlock()
	if !many {
		say("WRONG: %s", text)
		r.journal.write(entry{What: "wrong", Detail: text, Mutant: r.o.mutant})
	}
}

// spoilt says whether something was found wrong: what comes after it may only follow from it.
func (r *runner) spoilt() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.violations > 0
}

// close ends everything that was started, in the reverse order.
func (r *runner) close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
	r.journal.close()
	if r.o.keep || r.violations > 0 && r.o.mutant == "" {
		say("the processes' logs are in %s", r.dir)
		return
	}
	os.RemoveAll(r.dir)
}

// finish prints what was injected and judges the run.
func (r *runner) finish() error {
	say("\nseed %d, %s", r.o.seed, time.Since(r.began).Round(time.Second))
	if silent := summary(os.Stdout, r.planned, r.fired); r.violations == 0 { // else it ended before its plan
		for _, kind := range silent {
			r.wrong("no fault of kind %s fired, of %d that were tried", kind, r.planned[kind])
		}
	}
	if r.violations > 0 {
		return errFound
	}
	say("no event was lost, none stands twice")
	return nil
}

func say(format string, a ...any) {
	fmt.Printf(format+"\n", a...)
}
