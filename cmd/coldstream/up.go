package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/embedded/box"
	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/netutil"
	"github.com/coldstream/coldstream/internal/progress"
)

// boxFlags are the flags of `up` and `demo`.
type boxFlags struct {
	kafka, s3, clickhouse, http string
	ready                       string
	pipelines                   []string
	external                    config.ClickHouse
}

func (f *boxFlags) add(c *cobra.Command, kafka, s3, clickhouse, http string) {
	p := c.Flags()
	p.StringVar(&f.kafka, "kafka-addr", kafka, "`ADDR` of the broker; port 0 picks a free one")
	p.StringVar(&f.s3, "s3-addr", s3, "`ADDR` of the object store")
	p.StringVar(&f.clickhouse, "clickhouse-addr", clickhouse, "`ADDR` of ClickHouse's HTTP interface; of a running server with --clickhouse-user")
	p.StringVar(&f.http, "http-addr", http, "`ADDR` of status, health and metrics")
	p.StringSliceVar(&f.pipelines, "pipelines", nil, "`PARTS` to run: hot,cold,committer,resolver (default all); the servers run anyway")
	p.StringVar(&f.ready, "ready-file", "", "write where everything answers to `FILE`, besides ready.json in the data folder")
	p.StringVar(&f.external.User, "clickhouse-user", "", "use the running server at --clickhouse-addr as this `USER`, instead of the embedded engine (password: COLDSTREAM_CLICKHOUSE_PASSWORD)")
}

func newUpCommand(g *globals) *cobra.Command {
	f := &boxFlags{}
	c := &cobra.Command{
		Use: "up", Short: "Run the whole system on this box, on embedded servers", Args: cobra.NoArgs,
		Long: "Starts broker, object store, ClickHouse (in a child process), both pipelines, committer, resolver and the status\n" +
			"page from one data folder, and keeps them running until Ctrl-C. Loopback addresses unless told otherwise.\n" +
			"Without libchdb it is fetched once (178 MB).",
		Example: "  coldstream up\n  coldstream up --data ./chat --kafka-addr 127.0.0.1:0 --ready-file ready.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := g.dataDir()
			if err != nil {
				return failed(err)
			}
			return up(cmd.Context(), g, f, dir, func(_ context.Context, r *config.Ready, _ *system) error {
				fmt.Fprintf(cmd.ErrOrStderr(), "coldstream is up: kafka %s  s3 %s  clickhouse %s  http://%s/\nCtrl-C stops it; nothing is lost.\n",
					r.Kafka.Addr, r.S3.Addr, r.ClickHouse.Addr, r.HTTP.Addr)
				return nil
			})
		},
	}
	f.add(c, "127.0.0.1:9092", "127.0.0.1:9000", "127.0.0.1:8123", "127.0.0.1:8080")
	return c
}

// upCheckpoint is the archive's interval where none is configured: one box serves people who look at once.
const upCheckpoint = time.Minute

// up runs the system from a folder until ctx ends; then is called in a goroutine of its own once everything answers.
func up(ctx context.Context, g *globals, f *boxFlags, dir string, then func(context.Context, *config.Ready, *system) error) (err error) {
	cfg, err := upConfig(g, dir)
	if err != nil {
		return err
	}
	if f.ready != "" {
		if f.ready, err = filepath.Abs(f.ready); err != nil { // the object store changes the working directory
			return failed(err)
		}
	}
	b, err := startBox(ctx, f, cfg, dir)
	if err != nil {
		return failed(withPortHint(err))
	}
	readyFiles := []string{filepath.Join(dir, config.ReadyFile)}
	defer func() {
		for _, file := range readyFiles {
			_ = os.Remove(file) // it may never have been written
		}
		if cerr := b.Close(); cerr != nil && err == nil {
			err = failed(cerr)
		}
	}()
	if f.ready != "" {
		readyFiles = append(readyFiles, f.ready)
	}
	ready := b.Ready()
	ready.Apply(cfg, dir)
	return runBox(ctx, cfg, f, b, &ready, readyFiles, then)
}

// withPortHint adds the flags to an error about an address that is taken.
func withPortHint(err error) error {
	if busy := (*netutil.BusyError)(nil); errors.As(err, &busy) {
		return fmt.Errorf("%w: choose others with --kafka-addr, --s3-addr, --clickhouse-addr and --http-addr (port 0 picks a free one)", err)
	}
	return err
}

func upConfig(g *globals, dir string) (*config.Config, error) {
	cfg, err := config.Load(g.config, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	if d := config.Default(); cfg.Cold.Checkpoint == d.Cold.Checkpoint && cfg.Cold.Grace == d.Cold.Grace {
		cfg.Cold.Checkpoint, cfg.Cold.Grace = upCheckpoint, 5*time.Second
	}
	cfg.Data = dir
	return cfg, nil
}

func startBox(ctx context.Context, f *boxFlags, cfg *config.Config, dir string) (*box.Box, error) {
	k := &cfg.Kafka
	c := box.Config{
		Dir: dir, KafkaAddr: f.kafka, S3Addr: f.s3, ClickHouseAddr: f.clickhouse, Log: slog.Default(),
		Readers: map[string][]string{k.Topics.Events: {k.GroupOf(partCold), k.GroupOf(partHot)}},
	}
	if f.external.User != "" {
		f.external.Addr, f.external.Password, f.external.Database = f.clickhouse, os.Getenv("COLDSTREAM_CLICKHOUSE_PASSWORD"), box.Database
		f.external.TLSCA = cfg.ClickHouse.TLSCA
		c.ExternalClickHouse = &f.external
		return box.Start(ctx, c)
	}
	library, err := clickhouse.FindLibrary()
	if errors.Is(err, clickhouse.ErrNoLibrary) && os.Getenv(clickhouse.LibraryEnv) == "" {
		library, err = clickhouse.FetchLibrary(ctx, progress.Steps(os.Stderr, progress.Options{Title: "fetch libchdb", Bytes: true}))
	}
	if err != nil {
		return nil, err
	}
	c.Library = library
	return box.Start(ctx, c)
}

// runBox initialises and runs the parts against the box's servers.
func runBox(ctx context.Context, cfg *config.Config, f *boxFlags, b *box.Box, ready *config.Ready, readyFiles []string, then func(context.Context, *config.Ready, *system) error) error {
	parts, err := parseParts(f.pipelines)
	if err != nil {
		return err
	}
	first := *cfg
	if !needsLake(parts) { // a damaged table must not be in the way of those who want to mend it
		first.S3.Endpoint = ""
	}
	if _, err := initialise(ctx, &first, parts, false); err != nil {
		return failed(err)
	}
	s, err := newSystem(cfg, parts)
	if err != nil {
		return err
	}
	web, err := s.listen(f.http)
	if err != nil {
		return failed(withPortHint(err))
	}
	ready.HTTP.Addr, ready.PID = dialable(web.Addr()), os.Getpid()
	cfg.HTTP.Addr = ready.HTTP.Addr
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, web) }()
	go func() {
		select {
		case err := <-b.Failed():
			cancel(err)
		case <-ctx.Done():
		}
	}()
	for _, file := range readyFiles {
		if err := config.WriteReady(file, ready); err != nil {
			cancel(err)
		}
	}
	told := make(chan error, 1)
	go func() { told <- then(ctx, ready, s) }()
	err = <-done
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	cancel(nil)
	return failed(errors.Join(err, <-told))
}

// dialable is an address that can be connected to: loopback in place of a wildcard.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
