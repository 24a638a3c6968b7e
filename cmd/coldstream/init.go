package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest/topics"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/lake/rest"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
)

func newInitCommand(g *globals) *cobra.Command {
	var dryRun bool
	var pipelines []string
	c := &cobra.Command{
		Use: "init", Short: "Make topics, bucket, tables and the ClickHouse schema, and freeze the epoch", Args: cobra.NoArgs,
		Long:    "Makes what is missing and mends settings that the pipelines rely on. It deletes nothing and can be run again.\n`up` does it by itself. Only what the chosen --pipelines need is touched.",
		Example: "  coldstream init --config coldstream.yaml --dry-run\n  coldstream init --config coldstream.yaml\n  coldstream init --pipelines cold,committer",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			parts, err := parseParts(pipelines)
			if err != nil {
				return err
			}
			if err := cfg.Need(true, needsLake(parts), needsClickHouse(parts)); err != nil {
				return err
			}
			steps, err := initialise(cmd.Context(), cfg, parts, dryRun)
			if steps == nil {
				steps = []topics.Change{}
			}
			if g.json {
				if perr := printJSON(cmd.OutOrStdout(), steps); perr != nil {
					return perr
				}
			} else {
				for _, s := range steps {
					fmt.Fprintf(cmd.OutOrStdout(), "%-28s %s\n", s.Topic, s.What)
				}
				if len(steps) == 0 && err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), "everything is in place")
				}
			}
			return failed(err)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done")
	c.Flags().StringSliceVar(&pipelines, "pipelines", nil, "`PARTS` to prepare for: hot,cold,committer,resolver (default all)")
	return c
}

// initialise prepares what the parts need and returns what it did (or would do), in order.
func initialise(ctx context.Context, cfg *config.Config, parts []string, dryRun bool) ([]topics.Change, error) {
	steps, err := initTopics(ctx, cfg, dryRun)
	if err != nil {
		return steps, err
	}
	var table *lake.Table
	if needsLake(parts) || cfg.S3.Endpoint != "" {
		var more []topics.Change
		table, more, err = initLake(ctx, cfg, dryRun)
		steps = append(steps, more...)
		if err != nil {
			return steps, err
		}
	}
	if needsClickHouse(parts) {
		more, err := initClickHouse(ctx, cfg, table, dryRun)
		steps = append(steps, more...)
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
}

func initTopics(ctx context.Context, cfg *config.Config, dryRun bool) ([]topics.Change, error) {
	cl, err := kgo.NewClient(clientOf(cfg)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	defer cl.Close()
	program, err := chainProgram(cfg)
	if err != nil {
		return nil, err
	}
	others := program.Topics()
	if cfg.Dedup.SampleTopic != "" {
		others = append(others, cfg.Dedup.SampleTopic)
	}
	t := cfg.Kafka.Topics
	steps, err := topics.Ensure(ctx, kadm.NewClient(cl), topics.Config{
		Events: t.Events, Chunks: t.Chunks, Erasures: t.Erasures, DLQ: t.DLQ,
		Partitions: cfg.Kafka.Partitions, Replicas: cfg.Kafka.Replicas, Retention: cfg.Kafka.Retention, Others: others,
	}, dryRun)
	if err != nil {
		return steps, fmt.Errorf("kafka at %v: %w", cfg.Kafka.Brokers, kafkaclient.Explain(err))
	}
	return steps, nil
}

// openTable opens the lake's store and names the table of events; it asks no server.
func openTable(cfg *config.Config) (*lake.Table, error) {
	store, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Lake.Catalog != "rest" {
		return lake.OpenEvents(store), nil
	}
	r := cfg.Lake.REST
	remote, err := rest.New(rest.Config{
		URI: r.URI, Warehouse: r.Warehouse, Namespace: r.Namespace, Token: r.Token, Credential: r.Credential, OAuthURI: r.OAuthURI, Scope: r.Scope,
	})
	if err != nil {
		return nil, err
	}
	return lake.OpenEventsIn(store, remote), nil
}

func initLake(ctx context.Context, cfg *config.Config, dryRun bool) (*lake.Table, []topics.Change, error) {
	table, err := openTable(cfg)
	if err != nil {
		return nil, nil, err
	}
	_, loadErr := table.Load(ctx)
	if loadErr == nil {
		changed, err := table.EnsureSchema(ctx, dryRun)
		if err != nil {
			return nil, nil, err
		}
		var steps []topics.Change
		for _, c := range changed {
			steps = append(steps, topics.Change{Topic: "table " + lake.EventsName, What: c})
		}
		return table, steps, table.Freeze(ctx, lake.Frozen{Epoch: int64(cfg.Epoch), DedupWindow: cfg.Dedup.Window})
	}
	missing := errors.Is(loadErr, lake.ErrNoTable) || errors.Is(loadErr, objects.ErrNoBucket)
	if !missing {
		return nil, nil, loadErr
	}
	steps := []topics.Change{
		{Topic: "bucket " + cfg.S3.Bucket, What: "made if absent, and probed for conditional writes"},
		{Topic: "table " + lake.EventsName, What: fmt.Sprintf("created, epoch %d frozen", int64(cfg.Epoch))},
	}
	if dryRun {
		return nil, steps, nil
	}
	if err := table.Store().EnsureBucket(ctx); err != nil {
		return nil, steps, err
	}
	if err := table.Store().Probe(ctx); err != nil {
		return nil, steps, err
	}
	if _, err := table.Create(ctx); err != nil {
		return nil, steps, err
	}
	return table, steps, table.Freeze(ctx, lake.Frozen{Epoch: int64(cfg.Epoch), DedupWindow: cfg.Dedup.Window})
}

func initClickHouse(ctx context.Context, cfg *config.Config, table *lake.Table, dryRun bool) ([]topics.Change, error) {
	name := "clickhouse " + cfg.ClickHouse.Database
	var steps []topics.Change
	done := func(ms []ddl.Migration) {
		for _, m := range ms {
			steps = append(steps, topics.Change{Topic: name, What: fmt.Sprintf("migration %d, %s", m.Version, m.Name)})
		}
	}
	if dryRun {
		pending, err := schemaPending(ctx, cfg)
		done(pending)
		return steps, err
	}
	params := ddl.Params{Epoch: cfg.Epoch, NoSearch: !cfg.Hot.Search}
	if table != nil {
		params.EventsDDL = eventsDDL(cfg, table)
	}
	applied, err := schemaMigrate(ctx, cfg, params)
	done(applied)
	return steps, err
}

// eventsDDL makes the view of the lake in ClickHouse.
func eventsDDL(cfg *config.Config, table *lake.Table) []string {
	return lake.EngineDDL(table, lake.EngineOptions{Keys: cfg.ClickHouse.LakeKeys})
}
