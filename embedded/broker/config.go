package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Config says where the broker keeps its data and where it listens.
type Config struct {
	// Dir is the data folder; created when missing, held by one process at a time. Required.
	Dir string
	// Addr is `host:port` to listen on. Port 0 picks a free one, and then every start has another.
	// Default 127.0.0.1:0.
	Addr string
	// Advertised is the `host:port` that clients are told to connect to. Default: the address that it listens on,
	// with 127.0.0.1 in place of a wildcard host. Port 0 stands for the port that it listens on.
	Advertised string
	// RetentionTick is how often expired records are dropped and compacted topics compacted. Default one minute.
	// A pass reads the batch headers in memory, and the whole of each compacted topic from disk.
	RetentionTick time.Duration
	// MaxBytes caps the log of all topics that have a limit by time (`retention.ms` not -1, no compaction): when the
	// whole data folder's logs exceed it, their oldest segments go first, whatever their age, but none that a consumer
	// group has yet to read. What is unread comes on top, up to three times MaxBytes; beyond that, or with less than
	// 512 MiB of free disk, produce requests to topics with readers are answered with KAFKA_STORAGE_ERROR, which
	// producers retry, until the groups have caught up. It is applied by whole segments of 16 MiB. Default 2 GiB.
	MaxBytes int64
	// Readers names, by topic, the groups whose unread records are kept, whether they have joined yet or not; other groups
	// then have no say, and other topics no readers. nil: every group that reads a topic counts until it is deleted.
	Readers map[string][]string
	// CapTick is how often the size of the logs and the free disk are looked at. Default one second.
	CapTick time.Duration
	// Log takes what the broker has to say. Default slog.Default().
	Log *slog.Logger
}

// Defaults of Config.
const (
	defaultAddr          = "127.0.0.1:0"
	defaultRetentionTick = time.Minute
	defaultCapTick       = time.Second
	defaultMaxBytes      = 2 << 30
)

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = defaultAddr
	}
	if c.RetentionTick == 0 {
		c.RetentionTick = defaultRetentionTick
	}
	if c.CapTick == 0 {
		c.CapTick = defaultCapTick
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Validate reports every mistake at once, before any I/O.
func (c Config) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("broker: Dir is empty"))
	}
	for name, addr := range map[string]string{"Addr": c.Addr, "Advertised": c.Advertised} {
		if addr == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("broker: %s %q is not host:port: %w", name, addr, err))
		}
	}
	if c.RetentionTick < 0 {
		errs = append(errs, fmt.Errorf("broker: RetentionTick %s is negative", c.RetentionTick))
	}
	if c.CapTick < 0 {
		errs = append(errs, fmt.Errorf("broker: CapTick %s is negative", c.CapTick))
	}
	if c.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("broker: MaxBytes %d is negative", c.MaxBytes))
	}
	return errors.Join(errs...)
}

// advertise is the address that clients are told, given the one that the listener got.
func (c Config) advertise(listening string) (string, error) {
	_, port, err := net.SplitHostPort(listening)
	if err != nil {
		return "", fmt.Errorf("broker: split %q: %w", listening, err)
	}
	if c.Advertised == "" {
		return dialable(listening), nil
	}
	want, wantPort, err := net.SplitHostPort(c.Advertised)
	if err != nil {
		return "", fmt.Errorf("broker: split %q: %w", c.Advertised, err)
	}
	if wantPort == "0" {
		wantPort = port
	}
	return net.JoinHostPort(want, wantPort), nil
}

// dialable is a listener's address with 127.0.0.1 in place of a wildcard host.
func dialable(listening string) string {
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return listening
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
