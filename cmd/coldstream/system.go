package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/jobs/activity"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/serve"
	hotsink "github.com/coldstream/coldstream/sinks/clickhouse"
	coldsink "github.com/coldstream/coldstream/sinks/lake"
)

// system is the parts of one process, against servers that are there already.
type system struct {
	cfg     *config.Config
	log     *slog.Logger
	parts   []string
	program *processors.Program
	meters  map[string]*processors.Meter // by pipeline
	started time.Time
	keeper  supervisor
	meter   *lagMeter
	upkeep  *upkeep // nil where no committer runs

	mu        sync.Mutex
	pipelines map[string]*ingest.Pipeline // by part; the one that runs now
	cold      *coldsink.Sink
	hot       *hotsink.Sink
	activity  *activity.Job
	asked     bool // a checkpoint was asked for before the sink was there
}

func newSystem(cfg *config.Config, parts []string) (*system, error) {
	program, err := chainProgram(cfg)
	if err != nil {
		return nil, err
	}
	if slices.Contains(parts, partCold) {
		if err := checkDedup(cfg, cfg.Kafka.Partitions); err != nil {
			return nil, err
		}
	}
	meter, err := newLagMeter(cfg)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	log := slog.Default()
	s := &system{
		cfg: cfg, log: log, parts: parts, program: program, started: time.Now(), meter: meter,
		keeper: supervisor{log: log}, pipelines: map[string]*ingest.Pipeline{},
		meters: map[string]*processors.Meter{partCold: {}, partHot: {}},
	}
	if slices.Contains(parts, partCommitter) {
		s.upkeep, err = s.newUpkeep()
	}
	return s, err
}

// client is how a part reaches the brokers.
func (s *system) client(part string) []kgo.Opt { return kafkaclient.Options(&s.cfg.Kafka, part) }

func (s *system) decoder(string) ingest.Decoder {
	return &codec.JSON{Epoch: s.cfg.Epoch, OpaqueIDs: s.cfg.IDs == "opaque"}
}

// run runs the parts and, if web is not nil, the HTTP side, until ctx ends; then it stops them, the readers first.
func (s *system) run(ctx context.Context, web *serve.Server) error {
	instance, err := ingest.OpenInstance(filepath.Join(s.cfg.Data, "worker"))
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	defer func() {
		if err := instance.Close(); err != nil {
			s.log.Warn("worker folder", "error", err)
		}
	}()
	runs := map[string]func(context.Context) error{
		partHot: s.runHot, partResolver: s.runResolver, partCommitter: s.runCommitter,
		partCold: func(ctx context.Context) error { return s.runCold(ctx, instance) },
	}
	// The committer outlives the readers, so that what they checkpoint as they leave is committed too.
	after, stopAfter := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAfter()
	var readers, others sync.WaitGroup
	others.Go(func() { _ = s.meter.Run(after) })
	if web != nil {
		others.Go(func() {
			if err := web.Run(after); err != nil {
				s.keeper.set("http", err)
			}
		})
	}
	if s.upkeep != nil {
		readers.Go(func() { s.keeper.keep(ctx, "upkeep", s.upkeep.run) })
	}
	if slices.Contains(s.parts, partResolver) && s.cfg.Hot.Activity > 0 {
		readers.Go(func() { s.keeper.keep(ctx, partActivity, s.runActivity) })
	}
	for _, p := range s.parts {
		if p == partCommitter {
			others.Go(func() { s.keeper.keep(after, p, runs[p]) })
			continue
		}
		readers.Go(func() { s.keeper.keep(ctx, p, runs[p]) })
	}
	<-ctx.Done()
	s.log.Info("stopping: making durable what is held; a second signal leaves at once")
	readers.Wait()
	s.drainCommits(after)
	s.logStop()
	stopAfter()
	others.Wait()
	return nil
}

// drainTime bounds how long a stop waits for the last checkpoint to be committed; it is durable all the same.
const drainTime = 5 * time.Second

// drainCommits waits until the committer of this process has taken what the readers left, or the bound has passed.
func (s *system) drainCommits(ctx context.Context) {
	if !slices.Contains(s.parts, partCommitter) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for {
		if err := s.meter.sample(ctx); err != nil {
			return
		}
		if lags, _, _ := s.meter.lags(); lags["commit"].Records == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// logStop says where the pipelines stopped.
func (s *system) logStop() {
	lags, _, err := s.meter.lags()
	if err != nil {
		s.log.Info("stopped; what is not done stays in the topic")
		return
	}
	s.log.Info("stopped; what is not done stays in the topic, and the next start goes on there",
		"hot_records", lags["hot"].Records, "cold_records", lags["cold"].Records, "commits", lags["commit"].Records)
}

func (s *system) setPipeline(part string, p *ingest.Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipelines[part] = p
}

// requestCheckpoint asks the archive's worker to make durable what it holds.
func (s *system) requestCheckpoint() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cold == nil {
		s.asked = true
		return
	}
	s.cold.RequestCheckpoint()
}

func (s *system) runCommitter(ctx context.Context) error {
	table, err := openTable(s.cfg)
	if err != nil {
		return err
	}
	return lake.Run(ctx, table, lake.RunConfig{
		Client: s.client(partCommitter), Topic: s.cfg.Kafka.Topics.Chunks, Group: s.cfg.Kafka.GroupOf(partCommitter), Log: s.log,
		SessionTimeout: s.cfg.Kafka.SessionTimeout,
		OnCommit:       func(p lake.Progress) { s.keeper.set(partCommitter, nil) },
		OnOwn:          s.upkeep.owned.Store,
		OnRetry:        func(err error) { s.keeper.passing(partCommitter, err) },
	})
}

// topicIdentity is the cluster and topic id of the events topic.
func topicIdentity(ctx context.Context, cfg *config.Config) (lake.Source, error) {
	topic := cfg.Kafka.Topics.Events
	src, err := lake.IdentifyTopic(ctx, clientOf(cfg), topic)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return src, &exitError{exitUsage, fmt.Errorf("there is no topic %s at %v: run `coldstream init` first", topic, cfg.Kafka.Brokers)}
	case err != nil:
		return src, fmt.Errorf("kafka at %v: %w", cfg.Kafka.Brokers, kafkaclient.Explain(err))
	}
	return src, nil
}
