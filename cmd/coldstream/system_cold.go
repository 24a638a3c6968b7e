package main

import (
	"context"
	"time"

	"github.com/coldstream/coldstream/ingest"
	coldsink "github.com/coldstream/coldstream/sinks/lake"
)

// runCold runs the archive's pipeline: dedup, redact, chunk, Parquet, checkpoint.
func (s *system) runCold(ctx context.Context, instance *ingest.Instance) error {
	table, err := openTable(s.cfg)
	if err != nil {
		return err
	}
	if err := table.Store().Probe(ctx); err != nil {
		return err
	}
	out, err := s.producer(partCold)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := s.checkTopics(ctx, out); err != nil {
		return err
	}
	t := s.cfg.Kafka.Topics
	sink, err := coldsink.New(coldsink.Config{
		Table: table, Store: table.Store(), Worker: instance.ID, Chunks: t.Chunks, DLQ: t.DLQ, Epoch: s.cfg.Epoch,
		Policy: int64(s.program.Version()), Checkpoint: s.cfg.Cold.Checkpoint, Grace: s.grace(), MaxBytes: int(s.cfg.Cold.MaxBytes), MaxAge: s.cfg.Lake.SweepMargin / 4,
		Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.cold = sink; s.asked {
		sink.RequestCheckpoint()
	}
	s.asked = false
	s.mu.Unlock()
	group := s.cfg.Kafka.GroupOf(partCold)
	p, err := ingest.New(ingest.Config{
		Client: s.client(partCold), Topics: []string{t.Events}, Group: group, TransactionalID: instance.TransactionalID(group),
		TransactionTopics: []string{t.Chunks, t.DLQ},
		Floor:             coldsink.Floor(table, s.client(partCold), t.Chunks), Decoder: s.decoder, Processors: s.coldProcessors, Sink: sink,
		Publish: publisher(out), Sample: ingest.Sample{Topic: s.cfg.Dedup.SampleTopic, Every: s.cfg.Dedup.SampleEvery}, Logger: s.log,
		SessionTimeout: s.cfg.Kafka.SessionTimeout, Heartbeat: s.cfg.Kafka.Heartbeat(),
	})
	if err != nil {
		return err
	}
	s.setPipeline(partCold, p)
	return p.Run(ctx)
}

// grace is the configured one; the sink takes 0 for its default.
func (s *system) grace() time.Duration {
	if s.cfg.Cold.Grace == 0 {
		return -1
	}
	return min(s.cfg.Cold.Grace, s.cfg.Cold.Checkpoint/2)
}
