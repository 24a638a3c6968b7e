package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/serve"
)

// listen takes the address of the HTTP side. The catalog of the lake is there where a lake is configured.
func (s *system) listen(addr string) (*serve.Server, error) {
	routes, err := lakeRoutes(s.cfg)
	if err != nil {
		return nil, err
	}
	return serve.Listen(serve.Config{
		Addr: addr, Checks: s.checks(), Status: s.status, Checkpoint: s.requestCheckpoint, Routes: routes, Log: s.log,
	})
}

// checks are what /readyz asks.
func (s *system) checks() []serve.Check {
	checks := []serve.Check{{Name: "kafka", Probe: func(ctx context.Context) error { return pingKafka(ctx, s.cfg) }}}
	if needsLake(s.parts) {
		checks = append(checks, serve.Check{Name: "s3", Probe: func(ctx context.Context) error { return pingLake(ctx, s.cfg) }})
	}
	if needsClickHouse(s.parts) {
		checks = append(checks, serve.Check{Name: "clickhouse", Probe: func(ctx context.Context) error { return pingClickHouse(ctx, s.cfg) }})
	}
	return append(checks, serve.Check{Name: "parts", Probe: func(context.Context) error {
		var errs []error
		for _, f := range s.keeper.list() {
			errs = append(errs, errors.New(f))
		}
		return errors.Join(errs...)
	}})
}

func pingKafka(ctx context.Context, cfg *config.Config) error {
	cl, err := kgo.NewClient(append(clientOf(cfg), kgo.RetryTimeout(3*time.Second))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.Ping(ctx)
}

func pingLake(ctx context.Context, cfg *config.Config) error {
	table, err := openTable(cfg)
	if err != nil {
		return err
	}
	_, err = table.Load(ctx)
	return err
}

func pingClickHouse(ctx context.Context, cfg *config.Config) error {
	client, err := openClickHouse(cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	return client.Exec(ctx, "SELECT 1")
}

// status is what the page and the metrics show.
func (s *system) status(context.Context) serve.Status {
	lags, rate, err := s.meter.lags()
	st := serve.Status{
		Version: versions().Version, Started: s.started, Lags: lags, Failing: s.keeper.list(), Counters: s.counters(),
		Addresses: addresses(s.cfg, s.parts),
	}
	st.Counters["topic.records_per_second"] = int64(rate)
	s.chainStatus(&st)
	if err != nil {
		st.Failing = append(st.Failing, "kafka: "+err.Error())
	}
	return st
}

// addresses say what runs where.
func addresses(cfg *config.Config, parts []string) [][2]string {
	clickHouse := cfg.ClickHouse.Addr
	if cfg.ClickHouse.Sharded() {
		clickHouse += fmt.Sprintf(" of cluster %s, %d shards", cfg.ClickHouse.Cluster, len(cfg.ClickHouse.Shards))
	}
	return [][2]string{
		{"Kafka", strings.Join(cfg.Kafka.Brokers, ",")},
		{"S3", cfg.S3.Endpoint + " bucket " + cfg.S3.Bucket},
		{"ClickHouse", clickHouse},
		{"pipelines", strings.Join(parts, ", ")},
	}
}

func (s *system) counters() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int64{}
	for name, p := range s.pipelines {
		st := p.Stats()
		out[name+".records"], out[name+".events"], out[name+".repeats"] = st.Records, st.Events, st.Repeats
		out[name+".rewinds"], out[name+".commits"] = st.Rewinds, st.Commits
		out[name+".routed"], out[name+".sampled_repeats"], out[name+".rebuilding"] = st.Routed, st.Sampled, st.Rebuilding
		for _, n := range st.Dead {
			out[name+".dead"] += n
		}
	}
	if s.cold != nil {
		st := s.cold.Stats()
		out["cold.checkpoints"], out["cold.files"], out["cold.chunks"], out["cold.bytes"] = st.Checkpoints, st.Files, st.Chunks, st.Bytes
		out["cold.held_rows"] = int64(st.HeldRows)
	}
	if s.upkeep != nil {
		s.upkeep.told.add(out)
	}
	if s.activity != nil {
		activityCounters(s.activity, out)
	}
	if s.hot != nil {
		st := s.hot.Stats()
		out["hot.rows"], out["hot.blocks"], out["hot.retries"], out["hot.refused"] = st.Rows, st.Blocks, st.Retries, st.Refused
		out["hot.to_resolver"], out["hot.ignored"], out["hot.removals"] = st.Waiting, st.Ignored, st.Wide
	}
	return out
}
