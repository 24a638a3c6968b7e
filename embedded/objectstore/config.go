package objectstore

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
)

// Config says where the store keeps its objects and where it listens.
type Config struct {
	// Dir is the data folder; created when missing, held by one process at a time. Required.
	Dir string
	// Addr is `host:port` to listen on. Port 0 picks a free one, and then every start has another.
	// Default 127.0.0.1:0.
	Addr string
	// AccessKey and SecretKey are the only account. Required.
	AccessKey, SecretKey string
	// Region is the one that signatures must name. Default us-east-1.
	Region string
	// Log takes what the store has to say. Default slog.Default().
	Log *slog.Logger
}

// Defaults of Config.
const (
	defaultAddr   = "127.0.0.1:0"
	defaultRegion = "us-east-1"
)

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = defaultAddr
	}
	if c.Region == "" {
		c.Region = defaultRegion
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
		errs = append(errs, errors.New("objectstore: Dir is empty"))
	}
	if c.AccessKey == "" {
		errs = append(errs, errors.New("objectstore: AccessKey is empty"))
	}
	if c.SecretKey == "" {
		errs = append(errs, errors.New("objectstore: SecretKey is empty"))
	}
	if c.Addr != "" {
		if _, _, err := net.SplitHostPort(c.Addr); err != nil {
			errs = append(errs, fmt.Errorf("objectstore: Addr %q is not host:port: %w", c.Addr, err))
		}
	}
	return errors.Join(errs...)
}
