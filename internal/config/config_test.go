package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/config"
)

func load(t *testing.T, doc string, env map[string]string) (*config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file, func(k string) (string, bool) { v, ok := env[k]; return v, ok })
}

func TestEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	c, err := load(t, "kafka: {brokers: [\"a:1\", b:2], group: g}\ncold:\n  checkpoint: 1m\n", map[string]string{"COLDSTREAM_KAFKA_GROUP": "e"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(c.Kafka.Brokers, " ") != "a:1 b:2" || c.Kafka.Group != "e" || c.Cold.Checkpoint != time.Minute || c.S3.Bucket != "coldstream" {
		t.Fatalf("%+v", c)
	}
}

func TestEveryMistakeIsReportedWithItsLine(t *testing.T) {
	_, err := load(t, "kafka:\n  brokerz: [x:1]\n  brokers: [nohost]\ncold:\n  checkpoint: soon\nhot: 5\nids: odd\n", map[string]string{"COLDSTREAM_HOT_BATCH_ROWS": "many"})
	var ps config.Problems
	if !errors.As(err, &ps) {
		t.Fatalf("%v", err)
	}
	text := err.Error()
	for _, want := range []string{
		"c.yaml:2: kafka.brokerz: unknown key; did you mean kafka.brokers?", "c.yaml:3: kafka.brokers: \"nohost\" is not host:port",
		"c.yaml:5: cold.checkpoint: \"soon\" is not a duration", "c.yaml:6: hot:", "c.yaml:7: ids: \"odd\"", "COLDSTREAM_HOT_BATCH_ROWS: \"many\"",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestWrittenDefaultsAreRead(t *testing.T) {
	var doc bytes.Buffer
	if err := config.Write(&doc, config.Default(), true, true); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, doc.String(), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc.String())
	}
	var again bytes.Buffer
	if err := config.Write(&again, c, true, true); err != nil {
		t.Fatal(err)
	}
	if doc.String() != again.String() {
		t.Fatalf("read back as\n%s", again.String())
	}
}

func TestReadyFileOfADeadProcess(t *testing.T) {
	dir := t.TempDir()
	if _, err := config.ReadReady(dir); !errors.Is(err, config.ErrNotRunning) {
		t.Fatal(err)
	}
	r := &config.Ready{PID: os.Getpid()}
	r.Kafka.Addr = "127.0.0.1:1"
	file := filepath.Join(dir, config.ReadyFile)
	if err := config.WriteReady(file, r); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	got, err := config.ReadReady(dir)
	if err != nil || got.Kafka.Addr != "127.0.0.1:1" {
		t.Fatalf("%+v %v", got, err)
	}
	r.PID = 1 << 30
	if err := config.WriteReady(file, r); err != nil {
		t.Fatal(err)
	}
	if _, err := config.ReadReady(dir); !errors.Is(err, config.ErrNotRunning) {
		t.Fatal(err)
	}
}
