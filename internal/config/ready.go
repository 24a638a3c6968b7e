package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// ReadyFile is the name of the file in the data folder that says where a running `up` answers.
const ReadyFile = "ready.json"

// Ready is what `up` writes when everything answers. Addresses are host:port without a scheme, but of a ClickHouse that was there it is as it was given.
type Ready struct {
	Kafka      ReadyAddr       `json:"kafka"`
	S3         ReadyS3         `json:"s3"`
	ClickHouse ReadyClickHouse `json:"clickhouse"`
	HTTP       ReadyAddr       `json:"http"`
	PID        int             `json:"pid"`
}

// ReadyAddr is an address alone.
type ReadyAddr struct {
	Addr string `json:"addr"`
}

// ReadyS3 is the object store.
type ReadyS3 struct {
	Addr      string `json:"addr"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	Bucket    string `json:"bucket"`
}

// ReadyClickHouse is the engine, with the read-only user beside the full one.
type ReadyClickHouse struct {
	Addr     string       `json:"addr"`
	User     string       `json:"user"`
	Password string       `json:"password"`
	Database string       `json:"database"`
	Analyst  ReadyAnalyst `json:"analyst"`
	TLSCA    string       `json:"tls_ca,omitempty"` // of a server that was there, if its address is https
}

// ReadyAnalyst is the read-only user.
type ReadyAnalyst struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// ErrNotRunning means that nothing runs from a data folder.
var ErrNotRunning = errors.New("nothing is running")

// WriteReady writes the file in one step, readable by its owner alone.
func WriteReady(file string, r *Ready) error {
	doc, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(file, append(doc, '\n'), 0o600); err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	return nil
}

// ReadReady reads the file in a data folder. The error wraps ErrNotRunning when there is none, or its process is gone.
func ReadReady(dir string) (*Ready, error) {
	file := filepath.Join(dir, ReadyFile)
	doc, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w from %s", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("ready file: %w", err)
	}
	r := &Ready{}
	if err := json.Unmarshal(doc, r); err != nil {
		return nil, fmt.Errorf("ready file %s: %w", file, err)
	}
	if err := syscall.Kill(r.PID, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return nil, fmt.Errorf("%w from %s: process %d has ended", ErrNotRunning, dir, r.PID)
	}
	return r, nil
}

// Apply points the configuration at what is running.
func (r *Ready) Apply(c *Config, dir string) {
	c.Kafka.Brokers, c.Kafka.KafkaSecurity = []string{r.Kafka.Addr}, KafkaSecurity{SASL: SASLNone}
	c.S3.Endpoint, c.S3.AccessKey, c.S3.SecretKey, c.S3.Bucket = r.S3.Addr, r.S3.AccessKey, r.S3.SecretKey, r.S3.Bucket
	c.ClickHouse = ClickHouse{
		Addr: r.ClickHouse.Addr, User: r.ClickHouse.User, Password: r.ClickHouse.Password, Database: r.ClickHouse.Database, TLSCA: r.ClickHouse.TLSCA,
		LakeKeys: r.ClickHouse.Analyst.User == "", // the embedded engine, which has an analyst, has the keys itself
	}
	c.HTTP.Addr, c.Data = r.HTTP.Addr, dir
}
