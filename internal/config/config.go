// Package config is the configuration of a Coldstream process: one struct, one table of its keys, and where their
// values come from: flags, then COLDSTREAM_… variables, then the YAML file, then defaults.
//
// The types to know are [Config] and [Key]; [Load] fails with [Problems], every mistake at once with its place and a
// hint, before any I/O but that of the file and of the certificates and passwords that it names. It does not connect to
// anything, and it does not watch the file.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Config is the effective configuration. What each value means stands in the table of keys.
type Config struct {
	Kafka      Kafka
	S3         S3
	Lake       Lake
	ClickHouse ClickHouse
	HTTP       HTTP
	Data       string
	Epoch      schemas.Epoch
	Cold       Cold
	Hot        Hot
	Resolver   Resolver
	Dedup      Dedup
	Redact     Redact
	IDs        string
}

// Kafka says where the log is.
type Kafka struct {
	Brokers    []string
	Topics     Topics
	Group      string
	Partitions int
	Replicas   int
	Retention  time.Duration

	SessionTimeout time.Duration
	ClientID       string
	KafkaSecurity
}

// Heartbeat is how often a member of a group says that it is alive.
func (k *Kafka) Heartbeat() time.Duration { return k.SessionTimeout / 15 }

// Topics are the names of the four topics.
type Topics struct{ Events, Chunks, Erasures, DLQ string }

// S3 says where the lake is.
type S3 struct{ Endpoint, Region, AccessKey, SecretKey, Bucket, Prefix, TLSCA string }

// ClickHouse says where the hot store is, and whether the statement by which it reads the lake carries the store's keys.
// Cluster and Shards are for a store that is spread over servers.
type ClickHouse struct {
	Addr, User, Password, Database string
	LakeKeys                       bool
	Cluster                        string
	Shards                         []string
	Replicated                     bool
	TLSCA                          string
}

// HTTP is the address of status, health and metrics.
type HTTP struct{ Addr string }

// Cold sets the archive's pipeline.
type Cold struct {
	Checkpoint time.Duration
	Grace      time.Duration
	MaxBytes   int64
}

// Hot sets the pipeline into ClickHouse.
type Hot struct {
	BatchRows  int
	BatchDelay time.Duration
	Search     bool
	Activity   time.Duration
}

// Resolver sets how long an edit or delete waits for its message.
type Resolver struct{ GiveUp, Retry time.Duration }

// Dedup sets the window of deduplication, in offsets, and where samples of what it drops go; no topic, no samples.
type Dedup struct {
	Window      int64
	SampleTopic string
	SampleEvery int64
}

// Redact sets the policy of redaction; Policy is a file's name, empty for none.
type Redact struct {
	Policy  string
	Types   []string
	Version int64
}

// GroupOf is the consumer group of a pipeline: the configured group and a suffix.
func (k *Kafka) GroupOf(pipeline string) string { return k.Group + "-" + pipeline }

// Problem is one mistake in the configuration.
type Problem struct {
	File string // empty: not from a file
	Line int
	Key  string
	Text string // what is wrong and what to do
}

func (p Problem) Error() string {
	at := p.Key
	if p.File != "" {
		at = fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Key)
	}
	return at + ": " + p.Text
}

// Problems is every mistake found; it is returned as an error only when there is one.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Default is the configuration of a process that was told nothing.
func Default() *Config {
	c := &Config{}
	for _, k := range Keys {
		if err := k.set(c, k.Default); err != nil {
			panic(fmt.Sprintf("default of %s: %v", k.Path, err)) // a mistake in the table, caught by its test
		}
	}
	return c
}

// Load reads the file (none if empty) over the defaults and the environment over the file. lookup is os.LookupEnv.
func Load(file string, lookup func(string) (string, bool)) (*Config, error) {
	c := Default()
	lines := map[string]int{}
	var problems Problems
	if file != "" {
		doc, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		problems = c.readYAML(file, doc, lines)
	}
	for _, k := range Keys {
		if v, ok := lookup(k.Env()); ok {
			if err := k.set(c, v); err != nil {
				problems = append(problems, Problem{Key: k.Env(), Text: err.Error()})
			}
			delete(lines, k.Path)
		}
	}
	told := map[string]bool{}
	for _, p := range problems {
		told[p.Key] = true
	}
	for _, p := range c.Validate() {
		if told[p.Key] || told[envOf(p.Key)] {
			continue // a value that could not be read is not judged as well
		}
		if line, ok := lines[p.Key]; ok {
			p.File, p.Line = file, line
		}
		problems = append(problems, p)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// Validate reports every value that cannot be meant. What a pipeline needs and lacks is Need's to say.
func (c *Config) Validate() Problems {
	var ps Problems
	bad := func(ok bool, key, format string, a ...any) {
		if !ok {
			ps = append(ps, Problem{Key: key, Text: fmt.Sprintf(format, a...)})
		}
	}
	for _, b := range c.Kafka.Brokers {
		_, _, err := net.SplitHostPort(b)
		bad(err == nil, "kafka.brokers", "%q is not host:port", b)
	}
	c.Kafka.validate(bad)
	t := c.Kafka.Topics
	seen := map[string]bool{}
	for _, n := range []string{t.Events, t.Chunks, t.Erasures, t.DLQ} {
		bad(n != "" && !seen[n], "kafka.topics", "the four topics need four different names, and %q stands twice or is empty", n)
		seen[n] = true
	}
	bad(c.Kafka.ClientID != "", "kafka.client_id", "must not be empty")
	bad(c.Kafka.Group != "", "kafka.group", "it names the consumer groups, and must not be empty")
	bad(c.Kafka.SessionTimeout >= time.Second && c.Kafka.SessionTimeout <= 30*time.Minute, "kafka.session_timeout", "%v: from 1s to 30m", c.Kafka.SessionTimeout)
	bad(c.Kafka.Partitions >= 1, "kafka.partitions", "at least 1")
	bad(c.Kafka.Replicas >= 1, "kafka.replicas", "at least 1")
	_, _, httpErr := net.SplitHostPort(c.HTTP.Addr)
	bad(httpErr == nil, "http.addr", "%q is not host:port", c.HTTP.Addr)
	bad(c.S3.Bucket != "", "s3.bucket", "must not be empty")
	c.Lake.validateREST(bad)
	bad((c.Lake.Clients.AccessKey == "") == (c.Lake.Clients.SecretKey == ""), "lake.clients.secret_key", "an access key and a secret key go together: set both or neither")
	c.S3.validate(bad)
	c.ClickHouse.validateAddr(bad)
	c.ClickHouse.validateShards(bad)
	bad(c.Cold.Checkpoint >= time.Second && c.Cold.Checkpoint <= 24*time.Hour, "cold.checkpoint", "%v: from 1s to 24h", c.Cold.Checkpoint)
	bad(c.Cold.Grace >= 0, "cold.grace", "%v: 0 or more", c.Cold.Grace)
	bad(c.Cold.MaxBytes >= 1<<20, "cold.max_bytes", "at least 1048576")
	c.Lake.validate(bad)
	bad(c.Hot.BatchRows >= 1 && c.Hot.BatchRows <= 1_000_000, "hot.batch_rows", "from 1 to 1000000")
	bad(c.Hot.BatchDelay > 0 && c.Hot.BatchDelay <= time.Minute, "hot.batch_delay", "more than 0, at most 1m")
	bad(c.Dedup.Window >= 0, "dedup.window", "a number of offsets, 0 or more")
	bad(c.Dedup.SampleEvery >= 1, "dedup.sample_every", "1 publishes every repeat, 100 one of a hundred")
	bad(c.Dedup.SampleTopic == "" || c.Dedup.SampleTopic != t.Events, "dedup.sample_topic", "not the topic of the events itself")
	bad(c.Hot.Activity >= 0, "hot.activity", "0 (off) or more")
	bad(c.Resolver.GiveUp > 0, "resolver.give_up", "more than 0")
	bad(c.Resolver.Retry > 0, "resolver.retry", "more than 0")
	bad(c.Epoch != 0, "epoch", "0 stands for no epoch; 1 is the nearest to 1970")
	bad(c.IDs == "auto" || c.IDs == "opaque", "ids", "%q: auto or opaque", c.IDs)
	bad(c.Redact.Version >= 1 && c.Redact.Version <= 1<<31, "redact.version", "a number from 1, raised with every change of the policy")
	return ps
}

// ErrMissing is wrapped by what Need returns.
var ErrMissing = errors.New("the configuration lacks a value")

// Need checks that what the chosen pipelines connect to is configured.
func (c *Config) Need(kafka, s3, clickhouse bool) error {
	var errs []error
	miss := func(on, have bool, key, env string) {
		if on && !have {
			errs = append(errs, fmt.Errorf("%w: %s (or %s)", ErrMissing, key, env))
		}
	}
	miss(kafka, len(c.Kafka.Brokers) > 0, "kafka.brokers", "COLDSTREAM_KAFKA_BROKERS")
	miss(s3, c.S3.Endpoint != "", "s3.endpoint", "COLDSTREAM_S3_ENDPOINT")
	miss(kafka, !c.Kafka.missing(), "kafka.password for kafka.user, or kafka.password_file", "COLDSTREAM_KAFKA_PASSWORD")
	miss(s3, c.S3.AccessKey == "" || c.S3.SecretKey != "", "s3.secret_key for s3.access_key", "COLDSTREAM_S3_SECRET_KEY")
	miss(s3, c.S3.SecretKey == "" || c.S3.AccessKey != "", "s3.access_key for s3.secret_key", "COLDSTREAM_S3_ACCESS_KEY")
	miss(clickhouse, c.ClickHouse.Addr != "", "clickhouse.addr", "COLDSTREAM_CLICKHOUSE_ADDR")
	return errors.Join(errs...)
}

// DefaultData is the data folder of a process that was told none: coldstream below $XDG_DATA_HOME.
func DefaultData() (string, error) {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "coldstream"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("default data folder: %w: give one with --data", err)
	}
	return filepath.Join(home, ".local", "share", "coldstream"), nil
}
