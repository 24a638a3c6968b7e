package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/serve"
)

func newServeCommand(g *globals) *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "serve", Short: "Answer over HTTP without running a pipeline; any number of copies", Args: cobra.NoArgs,
		Long: "Answers on http.addr until Ctrl-C: status page, /healthz, /readyz, /metrics, and the catalog of the lake under /v1/iceberg.\n" +
			"It reads the lake and ClickHouse, whichever is configured, and lag where Kafka is; it writes nothing.",
		Example: "  coldstream serve --config coldstream.yaml\n  coldstream serve --http-addr 127.0.0.1:8081   # beside `coldstream up`",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			if addr != "" {
				cfg.HTTP.Addr = addr
			}
			if cfg.S3.Endpoint == "" && cfg.ClickHouse.Addr == "" {
				return usagef("there is nothing to serve: configure s3.endpoint, clickhouse.addr or both")
			}
			return runServe(cmd.Context(), cfg, func(addr string) { slog.Info("serving", "url", "http://"+addr+"/") })
		},
	}
	c.Flags().StringVar(&addr, "http-addr", "", "`ADDR` to answer on, host:port (default http.addr)")
	return c
}

// runServe serves until ctx ends; it tells the address that it has taken.
func runServe(ctx context.Context, cfg *config.Config, listening func(addr string)) error {
	if err := servable(ctx, cfg); err != nil {
		return err
	}
	started := time.Now()
	var meter *lagMeter
	if len(cfg.Kafka.Brokers) > 0 {
		var err error
		if meter, err = newLagMeter(cfg); err != nil {
			return failed(err)
		}
	}
	routes, err := lakeRoutes(cfg)
	if err != nil {
		return failed(err)
	}
	web, err := serve.Listen(serve.Config{
		Addr: cfg.HTTP.Addr, Checks: storeChecks(cfg), Routes: routes, Log: slog.Default(),
		Status: func(context.Context) serve.Status { return serveStatus(cfg, started, meter) },
	})
	if err != nil {
		return failed(err)
	}
	listening(web.Addr())
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	metered := make(chan struct{})
	go func() {
		defer close(metered)
		if meter != nil {
			_ = meter.Run(ctx)
		}
	}()
	err = web.Run(ctx)
	stop()
	<-metered
	return failed(err)
}

// servable refuses an engine or a schema that is not the one tested, and a lake that was never made.
func servable(ctx context.Context, cfg *config.Config) error {
	if cfg.ClickHouse.Addr != "" {
		switch err := schemaCheck(ctx, cfg); {
		case errors.Is(err, ddl.ErrNotMigrated):
			return &exitError{exitUsage, err}
		case err != nil:
			return failed(err)
		}
	}
	if cfg.S3.Endpoint == "" {
		return nil
	}
	switch err := pingLake(ctx, cfg); {
	case errors.Is(err, lake.ErrNoTable), errors.Is(err, objects.ErrNoBucket):
		return &exitError{exitUsage, err}
	default:
		return failed(err)
	}
}

// storeChecks are what /readyz asks where no pipeline runs.
func storeChecks(cfg *config.Config) (checks []serve.Check) {
	add := func(on bool, name string, ping func(context.Context, *config.Config) error) {
		if on {
			checks = append(checks, serve.Check{Name: name, Probe: func(ctx context.Context) error { return ping(ctx, cfg) }})
		}
	}
	add(len(cfg.Kafka.Brokers) > 0, "kafka", pingKafka)
	add(cfg.S3.Endpoint != "", "s3", pingLake)
	add(cfg.ClickHouse.Addr != "", "clickhouse", pingClickHouse)
	return checks
}

func serveStatus(cfg *config.Config, started time.Time, meter *lagMeter) serve.Status {
	st := serve.Status{Version: versions().Version, Started: started, Counters: map[string]int64{}, Addresses: addresses(cfg, nil)}
	if meter == nil {
		return st
	}
	lags, rate, err := meter.lags()
	if err != nil {
		st.Failing = append(st.Failing, "kafka: "+err.Error())
	}
	st.Lags, st.Counters["topic.records_per_second"] = lags, int64(rate)
	return st
}
