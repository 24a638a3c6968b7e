package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	s3User     = "coldstream"
	s3Password = "coldstream-secret"
)

// server is a broker or an object store in a process of its own, that can be ended and started again on its data.
type server struct {
	name   string
	make   func() *exec.Cmd
	answer func(ctx context.Context) error
	log    *os.File

	faulty sync.Mutex // held while a fault has it
	mu     sync.Mutex
	cmd    *exec.Cmd
	done   chan struct{}
}

// start starts it and waits until it answers.
func (s *server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := s.make()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.cmd, s.done = cmd, make(chan struct{})
	go func() { _ = cmd.Wait(); close(s.done) }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		err := s.answer(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended instead of starting: see %s", s.name, s.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: see %s", s.name, err, s.log.Name())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// end ends it, by force after a while.
func (s *server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	s.cmd = nil
}

// broker describes an Apache Kafka with a listener for each client, which advertises the client's proxy.
type broker struct {
	dir        string
	direct     int
	controller int
	clients    []listener
}

type listener struct {
	name            string
	port, proxyPort int
}

// kafka makes the broker's data folder and gives its server.
func kafka(ctx context.Context, b broker, libs, root string, log *os.File) (*server, error) {
	if err := b.configure(root); err != nil {
		return nil, err
	}
	java := func(ctx context.Context, a ...string) *exec.Cmd {
		args := append([]string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx640m", "-Dlog4j2.configurationFile=" + filepath.Join(root, "infra/kafka/log4j2.xml"), "-cp", libs + "/*"}, a...)
		return exec.CommandContext(ctx, "java", args...)
	}
	properties := filepath.Join(b.dir, "server.properties")
	id, err := java(ctx, "kafka.tools.StorageTool", "random-uuid").Output()
	if err != nil {
		return nil, fmt.Errorf("kafka: make a cluster id: %w", err)
	}
	lines := strings.Fields(string(id))
	out, err := java(ctx, "kafka.tools.StorageTool", "format", "--standalone", "-t", lines[len(lines)-1], "-c", properties).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("kafka: format: %w: %s", err, out)
	}
	return &server{
		name: "kafka", log: log, make: func() *exec.Cmd { return java(context.Background(), "kafka.Kafka", properties) },
		answer: func(ctx context.Context) error { return kafkaAnswers(ctx, loopback(b.direct)) },
	}, nil
}

// kafkaAnswers asks for a group's coordinator: a broker that knows it has loaded what it needs to.
func kafkaAnswers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return err
	}
	defer cl.Close()
	_, err = kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl)
	return err
}

// configure writes server.properties: the one that tests use, with more listeners and less patience.
func (b broker) configure(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "infra/kafka/server.properties"))
	if err != nil {
		return err
	}
	listeners := []string{"DIRECT://" + loopback(b.direct), "CONTROLLER://" + loopback(b.controller)}
	advertised := []string{"DIRECT://" + loopback(b.direct)}
	protocols := []string{"DIRECT:PLAINTEXT", "CONTROLLER:PLAINTEXT"}
	for _, l := range b.clients {
		listeners = append(listeners, l.name+"://"+loopback(l.port))
		advertised = append(advertised, l.name+"://"+loopback(l.proxyPort))
		protocols = append(protocols, l.name+":PLAINTEXT")
	}
	var out []string
	for _, line := range strings.Split(strings.NewReplacer("@CONTROLLER_PORT@", fmt.Sprint(b.controller), "@DATA@", b.dir+"/data").Replace(string(text)), "\n") {
		switch key, _, _ := strings.Cut(line, "="); key {
		case "listeners", "advertised.listeners", "listener.security.protocol.map":
			continue
		}
		out = append(out, line)
	}
	out = append(out, "listeners="+strings.Join(listeners, ","), "advertised.listeners="+strings.Join(advertised, ","),
		"listener.security.protocol.map="+strings.Join(protocols, ","), "inter.broker.listener.name=DIRECT",
		"num.network.threads=1", "num.io.threads=4", "log.cleaner.dedupe.buffer.size=4194304", "group.consumer.min.session.timeout.ms=1000", "")
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "server.properties"), []byte(strings.Join(out, "\n")), 0o644)
}

// minio gives the object store's server.
func minio(binary, dir string, port, console int, log *os.File) *server {
	return &server{
		name: "minio", log: log,
		make: func() *exec.Cmd {
			cmd := exec.Command(binary, "server", "--quiet", "--address", loopback(port), "--console-address", loopback(console), dir)
			cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+s3User, "MINIO_ROOT_PASSWORD="+s3Password, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CI_CD=1", "GOMAXPROCS=2")
			return cmd
		},
		answer: func(context.Context) error {
			if !answers(loopback(port)) {
				return errors.New("no answer")
			}
			return nil
		},
	}
}
