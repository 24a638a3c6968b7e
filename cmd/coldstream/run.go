package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/serve"
)

func newRunCommand(g *globals) *cobra.Command {
	var pipelines []string
	var web bool
	var profile string
	c := &cobra.Command{
		Use: "run", Short: "Run pipelines against real servers; any number of copies", Args: cobra.NoArgs,
		Long: "Runs the chosen parts against the configured servers until Ctrl-C. Copies share the work: partitions are spread by\n" +
			"consumer groups, one committer is active at a time. Each copy needs a data folder of its own. Run `coldstream init` first.",
		Example: "  coldstream run --config coldstream.yaml --serve\n  coldstream run --config coldstream.yaml --pipelines cold,committer",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(g.config, os.LookupEnv)
			if err != nil {
				return err
			}
			if g.data != "" || cfg.Data == "" {
				if cfg.Data, err = g.dataDir(); err != nil {
					return failed(err)
				}
			}
			parts, err := parseParts(pipelines)
			if err != nil {
				return err
			}
			if err := cfg.Need(true, needsLake(parts), needsClickHouse(parts)); err != nil {
				return err
			}
			if err := initialised(cmd.Context(), cfg, parts); err != nil {
				return err
			}
			for _, w := range cfg.Warnings() {
				slog.Warn(w.Error())
			}
			boundGarbage()
			return profiled(profile, func() error { return runParts(cmd.Context(), cfg, parts, web) })
		},
	}
	c.Flags().StringSliceVar(&pipelines, "pipelines", nil, "`PARTS` to run: hot,cold,committer,resolver (default all)")
	c.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile of the whole run to `FILE`, for go tool pprof")
	c.Flags().BoolVar(&web, "serve", false, "answer on http.addr: status page, /healthz, /readyz, /metrics")
	return c
}

// initialised refuses to run before init, and on settings that the table was not made with.
func initialised(ctx context.Context, cfg *config.Config, parts []string) error {
	if _, err := topicIdentity(ctx, cfg); err != nil {
		return keepCode(err)
	}
	if needsLake(parts) {
		table, err := openTable(cfg)
		if err != nil {
			return usagef("%w", err)
		}
		switch _, err := table.Load(ctx); {
		case errors.Is(err, lake.ErrNoTable), errors.Is(err, objects.ErrNoBucket):
			return &exitError{exitUsage, err}
		case err != nil:
			return failed(err)
		}
		if err := table.Freeze(ctx, lake.Frozen{Epoch: int64(cfg.Epoch), DedupWindow: cfg.Dedup.Window}); err != nil {
			if errors.Is(err, lake.ErrFrozen) {
				return &exitError{exitUsage, err}
			}
			return failed(err)
		}
	}
	if !needsClickHouse(parts) {
		return nil
	}
	switch err := schemaCheck(ctx, cfg); {
	case errors.Is(err, ddl.ErrNotMigrated):
		return &exitError{exitUsage, err}
	case err != nil:
		return failed(err)
	}
	client, err := openClickHouse(cfg)
	if err != nil {
		return usagef("%w", err)
	}
	defer client.CloseIdle()
	there, err := client.Query(ctx, "EXISTS VIEW events")
	if err != nil {
		return failed(err)
	}
	if needsLake(parts) && strings.TrimSpace(string(there)) != "1" {
		return &exitError{exitUsage, fmt.Errorf("ClickHouse has no view `events` of the lake: run `coldstream init`, and see what it says")}
	}
	return nil
}

// keepCode leaves an error that has an exit code of its own, and makes others failures.
func keepCode(err error) error {
	var exit *exitError
	if errors.As(err, &exit) {
		return err
	}
	return failed(err)
}

func runParts(ctx context.Context, cfg *config.Config, parts []string, web bool) error {
	s, err := newSystem(cfg, parts)
	if err != nil {
		return err
	}
	var server *serve.Server
	if web {
		if server, err = s.listen(cfg.HTTP.Addr); err != nil {
			return failed(err)
		}
		s.log.Info("status page", "url", "http://"+server.Addr()+"/")
	}
	return failed(s.run(ctx, server))
}
