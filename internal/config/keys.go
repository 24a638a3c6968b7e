package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Key is one setting: its path in the file, its default, and what it means, which unit it has and what it costs.
type Key struct {
	Path    string
	Default string
	Doc     string
	Secret  bool // not shown by `config print`
	ptr     func(*Config) any
}

// Env is the variable that sets the key: COLDSTREAM_ and the path in capitals.
func (k Key) Env() string { return envOf(k.Path) }

func envOf(path string) string {
	return "COLDSTREAM_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// Keys are all settings, in the order in which `config init` explains them.
var Keys = []Key{
	{"kafka.brokers", "", "Addresses of the brokers, host:port.", false, func(c *Config) any { return &c.Kafka.Brokers }},
	{"kafka.client_id", "coldstream", "How the brokers know our clients, in their logs, metrics and quotas: this name and the part that speaks, such as coldstream-cold.", false, func(c *Config) any { return &c.Kafka.ClientID }},
	{"kafka.tls", "false", "Whether the brokers are reached over TLS. The name in kafka.brokers must stand in their certificate.", false, func(c *Config) any { return &c.Kafka.TLS }},
	{"kafka.tls_ca", "", "PEM file of the authorities that are trusted, in place of the system's. It and the other files are read again at every connection, so they can be renewed without a restart.", false, func(c *Config) any { return &c.Kafka.TLSCA }},
	{"kafka.tls_cert", "", "PEM file of our own certificate, where brokers ask for one (mutual TLS).", false, func(c *Config) any { return &c.Kafka.TLSCert }},
	{"kafka.tls_key", "", "PEM file of its private key, not encrypted.", false, func(c *Config) any { return &c.Kafka.TLSKey }},
	{"kafka.sasl", "none", "How we say who we are: none, plain, scram-sha-256, scram-sha-512 or aws-msk-iam.", false, func(c *Config) any { return &c.Kafka.SASL }},
	{"kafka.user", "", "User; with Confluent Cloud the API key. With aws-msk-iam an access key, or empty for the credentials of the environment, as with s3.access_key.", false, func(c *Config) any { return &c.Kafka.User }},
	{"kafka.password", "", "Its password or secret.", true, func(c *Config) any { return &c.Kafka.Password }},
	{"kafka.password_file", "", "File with the password, in place of kafka.password; read again at every connection.", false, func(c *Config) any { return &c.Kafka.PasswordFile }},
	{"kafka.topics.events", "events", "Topic of the events, keyed by channel.", false, func(c *Config) any { return &c.Kafka.Topics.Events }},
	{"kafka.topics.chunks", "chunks", "Topic of the checkpoints; one partition, no retention by time.", false, func(c *Config) any { return &c.Kafka.Topics.Chunks }},
	{"kafka.topics.erasures", "erasures", "Compacted topic of the erased users.", false, func(c *Config) any { return &c.Kafka.Topics.Erasures }},
	{"kafka.topics.dlq", "events.dlq", "Topic of the dead letters.", false, func(c *Config) any { return &c.Kafka.Topics.DLQ }},
	{"kafka.group", "coldstream", "Consumer groups are this name and -cold, -hot, -committer, -resolver.", false, func(c *Config) any { return &c.Kafka.Group }},
	{"kafka.session_timeout", "45s", "How long a process may be silent before its partitions go to another. Shorter: a process that died is replaced sooner, one that stalled is left out sooner. The broker bounds it (6s to 30m by default).", false, func(c *Config) any { return &c.Kafka.SessionTimeout }},
	{"kafka.partitions", "4", "Partitions of the events topic when `init` creates it. Adding some later breaks the order of a channel across the change.", false, func(c *Config) any { return &c.Kafka.Partitions }},
	{"kafka.replicas", "1", "Replicas of each topic when `init` creates it; 3 on a cluster.", false, func(c *Config) any { return &c.Kafka.Replicas }},
	{"kafka.retention", "168h", "How long the events topic keeps records when `init` creates it. Recovery can go back that far.", false, func(c *Config) any { return &c.Kafka.Retention }},
	{"s3.endpoint", "", "Object store: host:port, or a URL for TLS such as https://s3.eu-central-1.amazonaws.com.", false, func(c *Config) any { return &c.S3.Endpoint }},
	{"s3.region", "us-east-1", "Region that requests are signed for.", false, func(c *Config) any { return &c.S3.Region }},
	{"s3.access_key", "", "Access key. Empty: the usual chain, which is AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the shared file (~/.aws, AWS_PROFILE), web identity, the container's role, the instance's.", true, func(c *Config) any { return &c.S3.AccessKey }},
	{"s3.secret_key", "", "Secret key.", true, func(c *Config) any { return &c.S3.SecretKey }},
	{"s3.bucket", "coldstream", "Bucket of the lake.", false, func(c *Config) any { return &c.S3.Bucket }},
	{"s3.prefix", "", "Folder in the bucket, before lake/; empty for none.", false, func(c *Config) any { return &c.S3.Prefix }},
	{"s3.tls_ca", "", "PEM file of the authorities that are trusted for the object store, in place of the system's.", false, func(c *Config) any { return &c.S3.TLSCA }},
	{"lake.catalog", "s3", "Where the table's versions are kept. s3: as files beside the data, each committed by one conditional PUT. rest: in an Iceberg REST catalog; the data stays in the bucket.", false, func(c *Config) any { return &c.Lake.Catalog }},
	{"lake.rest.uri", "", "URI of the REST catalog, without the /v1 of the protocol.", false, func(c *Config) any { return &c.Lake.REST.URI }},
	{"lake.rest.warehouse", "", "Warehouse of the catalog, where it has several.", false, func(c *Config) any { return &c.Lake.REST.Warehouse }},
	{"lake.rest.namespace", "lake", "Namespace of the table events in the catalog, with dots between its levels.", false, func(c *Config) any { return &c.Lake.REST.Namespace }},
	{"lake.rest.token", "", "Bearer token for the catalog.", true, func(c *Config) any { return &c.Lake.REST.Token }},
	{"lake.rest.credential", "", "OAuth2 client for the catalog, as id:secret, exchanged for a token.", true, func(c *Config) any { return &c.Lake.REST.Credential }},
	{"lake.rest.oauth2_uri", "", "Where tokens are had. Empty: from the catalog itself.", false, func(c *Config) any { return &c.Lake.REST.OAuthURI }},
	{"lake.rest.scope", "", "Scope to ask a token for. Empty: catalog.", false, func(c *Config) any { return &c.Lake.REST.Scope }},
	{"lake.clients.endpoint", "", "URL of the object store as readers of the catalog under /v1/iceberg reach it. Empty: s3.endpoint.", false, func(c *Config) any { return &c.Lake.Clients.Endpoint }},
	{"lake.clients.access_key", "", "Access key that the catalog hands to every reader that asks it for a table. It should be one that may only read. Empty: none, and readers bring their own.", true, func(c *Config) any { return &c.Lake.Clients.AccessKey }},
	{"lake.clients.secret_key", "", "Its secret key.", true, func(c *Config) any { return &c.Lake.Clients.SecretKey }},
	{"lake.compact_every", "10m", "How often the process whose committer is active looks for closed days with files to merge; 0: never by itself.", false, func(c *Config) any { return &c.Lake.CompactEvery }},
	{"lake.compact_after", "1h", "How long after its end (UTC) a day is closed, and for how long nothing may have been added to it. 0: at once.", false, func(c *Config) any { return &c.Lake.CompactAfter }},
	{"lake.compact_files", "32", "Files of late events that pile up in a compacted day before they are merged. Fewer: more is written again.", false, func(c *Config) any { return &c.Lake.CompactFiles }},
	{"lake.compact_memory", "536870912", "Bytes that a compaction may take, beside the file that it builds. A window that does not fit into half of it becomes more than one chunk.", false, func(c *Config) any { return &c.Lake.CompactMemory }},
	{"lake.file_bytes", "134217728", "Size from which a compacted file is closed and the next begun. A file is built in memory.", false, func(c *Config) any { return &c.Lake.FileBytes }},
	{"lake.expire_every", "1h", "How often old versions of the table are let go of, and old records of the topic of checkpoints; 0: never by itself.", false, func(c *Config) any { return &c.Lake.ExpireEvery }},
	{"lake.keep", "24h", "How long a version of the table can be read after another took its place. The longest query on the lake must take less.", false, func(c *Config) any { return &c.Lake.Keep }},
	{"lake.sweep_every", "6h", "How often objects that no version needs are deleted; 0: never by itself, and the space is not freed.", false, func(c *Config) any { return &c.Lake.SweepEvery }},
	{"lake.sweep_margin", "24h", "How old an object must be before it may be deleted. Workers and compactions give up files that they could not announce within a quarter of it, so every process must have the same.", false, func(c *Config) any { return &c.Lake.SweepMargin }},
	{"clickhouse.addr", "", "ClickHouse's HTTP interface: host:port, or a URL for TLS such as https://host:8443.", false, func(c *Config) any { return &c.ClickHouse.Addr }},
	{"clickhouse.tls_ca", "", "PEM file of the authorities that are trusted for ClickHouse's certificate, in place of the system's.", false, func(c *Config) any { return &c.ClickHouse.TLSCA }},
	{"clickhouse.user", "default", "User that may create tables in the database.", false, func(c *Config) any { return &c.ClickHouse.User }},
	{"clickhouse.password", "", "Its password.", true, func(c *Config) any { return &c.ClickHouse.Password }},
	{"clickhouse.database", "coldstream", "Database of the hot store.", false, func(c *Config) any { return &c.ClickHouse.Database }},
	{"clickhouse.lake_keys", "true", "Whether the table by which ClickHouse reads the lake carries the object store's keys; false where the server has them in its own configuration (<s3>). It never does where s3.access_key is empty.", false, func(c *Config) any { return &c.ClickHouse.LakeKeys }},
	{"clickhouse.cluster", "", "Name of the cluster in the servers' <remote_servers>, where the hot store is spread over servers. Empty: it is on one.", false, func(c *Config) any { return &c.ClickHouse.Cluster }},
	{"clickhouse.shards", "[]", "The cluster's servers: one item a shard, in the cluster's order, the replicas in it separated by spaces: [a1:8123 a2:8123, b1:8123 b2:8123]. Each may be a URL, as clickhouse.addr, which is then any of them. Fixed once there is a store: docs/hot.md.", false, func(c *Config) any { return &c.ClickHouse.Shards }},
	{"clickhouse.replicated", "true", "Whether the tables of a cluster are replicated, which takes a Keeper and the macro {replica} on each server; false: one server a shard.", false, func(c *Config) any { return &c.ClickHouse.Replicated }},
	{"http.addr", "127.0.0.1:8080", "Status page, /healthz, /readyz, /metrics and the catalog of the lake under /v1/iceberg. Loopback unless told otherwise; port 0 picks a free one.", false, func(c *Config) any { return &c.HTTP.Addr }},
	{"data", "", "Folder of what a worker keeps on disk: its stable instance id and locks. Empty: coldstream below $XDG_DATA_HOME.", false, func(c *Config) any { return &c.Data }},
	{"epoch", "1420070400000", "Zero of Snowflake time in Unix milliseconds (Discord's: 2015-01-01). `init` freezes it.", false, func(c *Config) any { return &c.Epoch }},
	{"ids", "auto", "auto: an id that our rule could have made is a Snowflake; opaque: every id of the topic is a text of another rule.", false, func(c *Config) any { return &c.IDs }},
	{"cold.checkpoint", "5m", "How often a worker makes durable what it holds. Shorter: more and smaller files.", false, func(c *Config) any { return &c.Cold.Checkpoint }},
	{"cold.grace", "30s", "How long after the mark a checkpoint waits for the window's last events; half of cold.checkpoint at most.", false, func(c *Config) any { return &c.Cold.Grace }},
	{"cold.max_bytes", "134217728", "Bytes of events that a worker buffers before it checkpoints early; twice as many are held while the first are uploaded. With the default a worker of four partitions stays below 1 GiB.", false, func(c *Config) any { return &c.Cold.MaxBytes }},
	{"hot.batch_rows", "262144", "Most rows of one insert into ClickHouse. A worker that is behind holds four such blocks, of about 300 bytes a row.", false, func(c *Config) any { return &c.Hot.BatchRows }},
	{"hot.batch_delay", "250ms", "Longest wait of a row for its insert. Twice that while a sixteenth of `hot.batch_rows` comes within it (more than 65,000 a second), eight times while a backlog is read.", false, func(c *Config) any { return &c.Hot.BatchDelay }},
	{"hot.search", "true", "Whether words are indexed for searching. Without, inserts cost about half and the disk a third less; `init` or `migrate` makes the change.", false, func(c *Config) any { return &c.Hot.Search }},
	{"hot.activity", "1m", "How often the resolver's process counts messages and people of the hours that something was written to (views activity, channel_days, guild_days). 0: not.", false, func(c *Config) any { return &c.Hot.Activity }},
	{"resolver.retry", "1m", "How often the whole state is searched for what edits and deletes wait for; new messages are looked at as they come.", false, func(c *Config) any { return &c.Resolver.Retry }},
	{"resolver.give_up", "168h", "How long an edit or delete waits for its message before it becomes a dead letter.", false, func(c *Config) any { return &c.Resolver.GiveUp }},
	{"dedup.window", "1048576", "Offsets within which a repeated event is dropped. 24 bytes each, for every partition held. Fixed once events are archived.", false, func(c *Config) any { return &c.Dedup.Window }},
	{"dedup.sample_topic", "", "Topic to which some of the dropped repeats go, as they came and not redacted; empty: none. `init` makes it.", false, func(c *Config) any { return &c.Dedup.SampleTopic }},
	{"dedup.sample_every", "100", "One of so many repeats goes there; 1: all.", false, func(c *Config) any { return &c.Dedup.SampleEvery }},
	{"redact.policy", "", "YAML file of the redaction policy, as docs/redaction.md and docs/processors.md describe it: redaction, the stages of the chain, pseudonyms; empty: every type is redacted. Its version is the one that counts, not redact.version; redact.types narrows it further. Relative to the working directory.", false, func(c *Config) any { return &c.Redact.Policy }},
	{"redact.types", "all", "What is redacted: all, none, or a list of types such as [email, ip].", false, func(c *Config) any { return &c.Redact.Types }},
	{"redact.version", "1", "Version of the redaction policy where no policy file gives one; raise it with every change, so that a replay under the new one wins.", false, func(c *Config) any { return &c.Redact.Version }},
}

func (k Key) set(c *Config, v string) error {
	v = strings.TrimSpace(v)
	var err error
	switch p := k.ptr(c).(type) {
	case *string:
		*p = v
	case *[]string:
		*p = splitList(v)
	case *bool:
		if *p, err = strconv.ParseBool(v); err != nil {
			return fmt.Errorf("%q is neither true nor false", v)
		}
	case *int:
		*p, err = strconv.Atoi(v)
	case *int64:
		*p, err = strconv.ParseInt(v, 10, 64)
	case *schemas.Epoch:
		var n int64
		n, err = strconv.ParseInt(v, 10, 64)
		*p = schemas.Epoch(n)
	case *time.Duration:
		if *p, err = time.ParseDuration(v); err != nil {
			return fmt.Errorf("%q is not a duration: write 30s, 5m or 24h", v)
		}
	default:
		return fmt.Errorf("no way to set a %T", p)
	}
	if err != nil {
		return fmt.Errorf("%q is not a whole number", v)
	}
	return nil
}

func splitList(v string) []string {
	var out []string
	for _, s := range strings.Split(strings.Trim(v, "[]"), ",") {
		if s = strings.Trim(strings.TrimSpace(s), `"'`); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Get is the key's value as it would stand in the file.
func (k Key) Get(c *Config) string {
	switch p := k.ptr(c).(type) {
	case *string:
		return quoteYAML(*p)
	case *[]string:
		q := make([]string, len(*p))
		for i, s := range *p {
			q[i] = quoteYAML(s)
		}
		return "[" + strings.Join(q, ", ") + "]"
	case *time.Duration:
		return shortDuration(*p)
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *int64:
		return strconv.FormatInt(*p, 10)
	case *schemas.Epoch:
		return strconv.FormatInt(int64(*p), 10)
	default:
		return fmt.Sprint(p)
	}
}

func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func quoteYAML(s string) string {
	plain := s != ""
	for _, r := range s {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '-' || r == '.' || r == '/')
	}
	if plain && s[0] != '-' && s[0] != '.' {
		return s
	}
	return strconv.Quote(s)
}
