package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest/topics"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/internal/netutil"
	"github.com/coldstream/coldstream/lake"
)

func newDoctorCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check servers, versions, permissions, clocks, topics and disk; say how to mend what is wrong", Args: cobra.NoArgs,
		Long:    "Exit status: 0 all is well, 1 something is not.",
		Example: "  coldstream doctor\n  coldstream doctor --config coldstream.yaml --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			r := examine(cmd.Context(), cfg)
			if g.json {
				if err := printJSON(cmd.OutOrStdout(), r); err != nil {
					return err
				}
			} else {
				for _, c := range r.Checks {
					fmt.Fprintln(cmd.OutOrStdout(), c)
				}
			}
			if !r.OK {
				return &exitError{code: exitFound}
			}
			return nil
		},
	}
}

type diagnosis struct {
	OK     bool        `json:"ok"`
	Checks []diagnosed `json:"checks"`
}

type diagnosed struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"` // empty where all is well
}

func (d diagnosed) String() string {
	if d.OK {
		return fmt.Sprintf("ok     %-22s %s", d.Name, d.Detail)
	}
	return fmt.Sprintf("WRONG  %-22s %s\n       %-22s → %s", d.Name, d.Detail, "", d.Fix)
}

// examine runs every check; one that cannot be made because an earlier one failed says so by itself.
func examine(ctx context.Context, cfg *config.Config) diagnosis {
	r := diagnosis{OK: true}
	for _, c := range []struct {
		name   string
		fix    string
		advice func(*config.Config, error) string // of an error that says more than that the check failed
		run    func(context.Context, *config.Config) (string, error)
	}{
		{"kafka", "start the broker, or set kafka.brokers (COLDSTREAM_KAFKA_BROKERS) to its host:port", kafkaAdvice, checkKafka},
		{"kafka topics", "run `coldstream init`", kafkaAdvice, checkTopics},
		{"kafka transactions", "do as it says; readers get nothing more of the partition until it is over", kafkaAdvice, checkTransactions},
		{"object store", "start it, or set s3.endpoint and its keys; it must support conditional writes (If-None-Match, If-Match)", storeAdvice, checkStore},
		{"lake", "run `coldstream init`; if it was run, restore the bucket's lake/events/metadata", storeAdvice, checkLake},
		{"clickhouse", "start it, or set clickhouse.addr, user and password", clickHouseAdvice, checkClickHouse},
		{"clickhouse schema", "run `coldstream migrate`, or use the newer coldstream that made the schema", clickHouseAdvice, checkSchema},
		{"clocks", "set this machine's clock, or the server's, by NTP: times are compared to within a day, metrics to seconds", storeAdvice, checkClocks},
		{"data folder", "give --data a folder that you may write to, with free disk", func(*config.Config, error) string { return "" }, checkData},
	} {
		bound, cancel := context.WithTimeout(ctx, 10*time.Second)
		detail, err := c.run(bound, cfg)
		cancel()
		d := diagnosed{Name: c.name, OK: err == nil, Detail: detail}
		if err != nil {
			d.Detail, d.Fix, r.OK = err.Error(), cmp.Or(c.advice(cfg, err), c.fix), false
		}
		r.Checks = append(r.Checks, d)
	}
	for _, w := range cfg.Warnings() {
		r.Checks = append(r.Checks, diagnosed{Name: "configuration", OK: true, Detail: "but " + w.Error()})
	}
	return r
}

func withAdmin(cfg *config.Config, f func(*kadm.Client) (string, error)) (string, error) {
	if err := cfg.Need(true, false, false); err != nil {
		return "", err
	}
	cl, err := kgo.NewClient(append(clientOf(cfg), kgo.RetryTimeout(4*time.Second))...)
	if err != nil {
		return "", err
	}
	defer cl.Close()
	return f(kadm.NewClient(cl))
}

func checkKafka(ctx context.Context, cfg *config.Config) (string, error) {
	return withAdmin(cfg, func(adm *kadm.Client) (string, error) {
		m, err := adm.BrokerMetadata(ctx)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: cluster %s, %d broker(s)", strings.Join(cfg.Kafka.Brokers, ","), m.Cluster, len(m.Brokers)), nil
	})
}

func checkTopics(ctx context.Context, cfg *config.Config) (string, error) {
	return withAdmin(cfg, func(adm *kadm.Client) (string, error) {
		t := cfg.Kafka.Topics
		steps, err := topics.Ensure(ctx, adm, topics.Config{
			Events: t.Events, Chunks: t.Chunks, Erasures: t.Erasures, DLQ: t.DLQ, Partitions: cfg.Kafka.Partitions, Retention: cfg.Kafka.Retention,
		}, true)
		if err != nil {
			return "", err
		}
		var wrong []string
		for _, s := range steps {
			wrong = append(wrong, s.Topic+" would be "+s.What)
		}
		if len(wrong) > 0 {
			return "", errors.New(strings.Join(wrong, "; "))
		}
		return strings.Join([]string{t.Events, t.Chunks, t.Erasures, t.DLQ}, ", ") + " have the settings they need", nil
	})
}

// maxOpen is how long after its last write an open transaction is named: four times what a worker's lives.
const maxOpen = time.Minute

func checkTransactions(ctx context.Context, cfg *config.Config) (string, error) {
	return transactionsWithin(ctx, cfg, maxOpen)
}

// toolsAddress is how Kafka's own tools are told of the broker.
func toolsAddress(cfg *config.Config) string {
	address := cfg.Kafka.Brokers[0]
	if cfg.Kafka.TLS || cfg.Kafka.SASL != config.SASLNone {
		address += " --command-config FILE" // of the tools' own format
	}
	return address
}

func transactionsWithin(ctx context.Context, cfg *config.Config, most time.Duration) (string, error) {
	return withAdmin(cfg, func(adm *kadm.Client) (string, error) {
		t := cfg.Kafka.Topics
		open, err := kafkalog.OpenTransactions(ctx, adm, kafkalog.Topics(t.Events, t.Chunks, t.DLQ))
		if err != nil {
			return "", err
		}
		var stale []string
		for _, o := range open {
			if time.Since(o.LastWrite) > most {
				stale = append(stale, fmt.Sprintf("%s: %s", o, o.Advice(toolsAddress(cfg))))
			}
		}
		if len(stale) > 0 {
			return "", errors.New(strings.Join(stale, "; "))
		}
		return fmt.Sprintf("none is open in %s, %s or %s for longer than %v", t.Events, t.Chunks, t.DLQ, most), nil
	})
}

func checkStore(ctx context.Context, cfg *config.Config) (string, error) {
	table, err := openTable(cfg)
	if err != nil {
		return "", err
	}
	if err := table.Store().Probe(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s bucket %s can be written, conditionally too", cfg.S3.Endpoint, cfg.S3.Bucket), nil
}

func checkLake(ctx context.Context, cfg *config.Config) (string, error) {
	table, err := openTable(cfg)
	if err != nil {
		return "", err
	}
	v, err := table.Load(ctx)
	if err != nil {
		return "", err
	}
	for key, want := range map[string]int64{lake.PropertyEpoch: int64(cfg.Epoch), lake.PropertyDedupWindow: cfg.Dedup.Window} {
		if have := v.Properties().Get(key, ""); have != "" && have != strconv.FormatInt(want, 10) {
			return "", fmt.Errorf("%s is %s in the table and %d in the configuration", key, have, want)
		}
	}
	return fmt.Sprintf("table at version %d", v.N), nil
}

func checkClickHouse(ctx context.Context, cfg *config.Config) (string, error) {
	client, err := openClickHouse(cfg)
	if err != nil {
		return "", err
	}
	defer client.CloseIdle()
	version, err := client.WithDatabase("").Query(ctx, "SELECT version()")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, version %s", cfg.ClickHouse.Addr, strings.TrimSpace(string(version))), nil
}

func checkSchema(ctx context.Context, cfg *config.Config) (string, error) {
	pending, err := schemaPending(ctx, cfg)
	if err != nil {
		return "", err
	}
	if len(pending) > 0 {
		return "", fmt.Errorf("%d migrations are missing", len(pending))
	}
	return "up to date", nil
}

// maxSkew is how far a server's clock may be away before it is named.
const maxSkew = 30 * time.Second

func checkClocks(ctx context.Context, cfg *config.Config) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, netutil.URL(cfg.S3.Endpoint), nil)
	if err != nil {
		return "", err
	}
	trust, err := storeTrust(cfg)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return "the object store does not tell its time", nil
	}
	skew := time.Since(at).Round(time.Second)
	if skew.Abs() > maxSkew {
		return "", fmt.Errorf("this machine is %v ahead of the object store", skew)
	}
	return "within " + maxSkew.String() + " of the object store", nil
}

// minFree is the free disk below which the doctor warns.
const minFree = 1 << 30

func checkData(_ context.Context, cfg *config.Config) (string, error) {
	dir := cfg.Data
	if dir == "" {
		var err error
		if dir, err = config.DefaultData(); err != nil {
			return "", err
		}
	}
	for {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	probe, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return "", err
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("free disk of %s: %w", dir, err)
	}
	free := fs.Bavail * uint64(fs.Bsize)
	if free < minFree {
		return "", fmt.Errorf("%s has %d MB free", dir, free>>20)
	}
	return fmt.Sprintf("%s can be written, %d GB free", dir, free>>30), nil
}
