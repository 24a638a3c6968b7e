package main

import (
	"context"
	"strings"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/config"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
)

// openClickHouse makes a client for readers; it asks no server.
func openClickHouse(cfg *config.Config) (*chhttp.Client, error) {
	return openServer(cfg, cfg.ClickHouse.Addr)
}

func openServer(cfg *config.Config, addr string) (*chhttp.Client, error) {
	trust, err := clickHouseTrust(cfg.ClickHouse)
	if err != nil {
		return nil, err
	}
	return chhttp.New(chhttp.Config{
		Addr: addr, User: cfg.ClickHouse.User, Password: cfg.ClickHouse.Password, Database: cfg.ClickHouse.Database, TLS: trust,
	})
}

// openShards makes a client of each shard's own tables, which goes to another replica where one is away; without shards it is
// the one server's. The caller closes them.
func openShards(cfg *config.Config) ([]*chhttp.Client, error) {
	if !cfg.ClickHouse.Sharded() {
		c, err := openClickHouse(cfg)
		return []*chhttp.Client{c}, err
	}
	var all []*chhttp.Client
	for _, replicas := range cfg.ClickHouse.Replicas() {
		c, err := openServer(cfg, strings.Join(replicas, " "))
		if err != nil {
			return nil, err
		}
		all = append(all, c.WithDatabase(ddl.LocalDatabase(cfg.ClickHouse.Database)))
	}
	return all, nil
}

func closeAll(clients []*chhttp.Client) {
	for _, c := range clients {
		c.CloseIdle()
	}
}

// cluster is every server that the store is spread over, and what closes their clients.
func cluster(cfg *config.Config) (ddl.Cluster, func(), error) {
	c := ddl.Cluster{Name: cfg.ClickHouse.Cluster, Database: cfg.ClickHouse.Database, Plain: !cfg.ClickHouse.Replicated}
	var all []*chhttp.Client
	for _, replicas := range cfg.ClickHouse.Replicas() {
		var shard []*chhttp.Client
		for _, addr := range replicas {
			client, err := openServer(cfg, addr)
			if err != nil {
				return c, nil, err
			}
			shard, all = append(shard, client), append(all, client)
		}
		c.Shards = append(c.Shards, shard)
	}
	return c, func() { closeAll(all) }, nil
}

// schemaPending lists the migrations that are missing, on one server or on any of a cluster.
func schemaPending(ctx context.Context, cfg *config.Config) ([]ddl.Migration, error) {
	return onStore(cfg,
		func(c *chhttp.Client) ([]ddl.Migration, error) { return ddl.Pending(ctx, c) },
		func(c ddl.Cluster) ([]ddl.Migration, error) { return ddl.PendingCluster(ctx, c) })
}

// schemaMigrate runs them.
func schemaMigrate(ctx context.Context, cfg *config.Config, p ddl.Params) ([]ddl.Migration, error) {
	return onStore(cfg,
		func(c *chhttp.Client) ([]ddl.Migration, error) { return ddl.Migrate(ctx, c, p) },
		func(c ddl.Cluster) ([]ddl.Migration, error) { return ddl.MigrateCluster(ctx, c, p) })
}

// schemaCheck is for workers at their start: of each shard one replica must answer.
func schemaCheck(ctx context.Context, cfg *config.Config) error {
	_, err := onStore(cfg,
		func(c *chhttp.Client) ([]ddl.Migration, error) { return nil, ddl.Check(ctx, c) },
		func(c ddl.Cluster) ([]ddl.Migration, error) { return nil, ddl.CheckCluster(ctx, c) })
	return err
}

func onStore(cfg *config.Config, one func(*chhttp.Client) ([]ddl.Migration, error), many func(ddl.Cluster) ([]ddl.Migration, error)) ([]ddl.Migration, error) {
	if cfg.ClickHouse.Sharded() {
		c, done, err := cluster(cfg)
		if err != nil {
			return nil, err
		}
		defer done()
		return many(c)
	}
	client, err := openClickHouse(cfg)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdle()
	return one(client)
}
