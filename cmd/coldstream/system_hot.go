package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/deadletter"
	"github.com/coldstream/coldstream/schemas"
	hotsink "github.com/coldstream/coldstream/sinks/clickhouse"
	"github.com/coldstream/coldstream/sinks/resolver"
)

// runHot runs the pipeline into ClickHouse: redact, batch, insert. It needs no dedup: its state does not change when an
// event comes again.
func (s *system) runHot(ctx context.Context) error {
	shards, out, err := s.hotClients(partHot)
	if err != nil {
		return err
	}
	defer closeAll(shards)
	defer out.Close()
	sink, err := hotsink.New(hotsink.Config{
		Client: shards[0], Shards: several(shards), Epoch: s.cfg.Epoch, OpaqueIDs: s.cfg.IDs == "opaque", MaxRows: s.cfg.Hot.BatchRows, MaxAge: s.cfg.Hot.BatchDelay, NoSearch: !s.cfg.Hot.Search,
		Reread: s.client(partHot), DeadLetter: s.deadLetters(out), Log: s.log,
	})
	if err != nil {
		return err
	}
	p, err := ingest.New(ingest.Config{
		Client: s.client(partHot), Topics: []string{s.cfg.Kafka.Topics.Events}, Group: s.cfg.Kafka.GroupOf(partHot), Decoder: s.decoder,
		Processors: func(schemas.Source) []ingest.Processor { return s.hotProcessors(partHot) },
		Sink:       sink, Logger: s.log, SessionTimeout: s.cfg.Kafka.SessionTimeout, Heartbeat: s.cfg.Kafka.Heartbeat(),
	})
	if err != nil {
		return err
	}
	s.setPipeline(partHot, p)
	s.mu.Lock()
	s.hot = sink
	s.mu.Unlock()
	return p.Run(ctx)
}

// runResolver completes edits and deletes whose message was not known when they came.
func (s *system) runResolver(ctx context.Context) error {
	shards, out, err := s.hotClients(partResolver)
	if err != nil {
		return err
	}
	defer closeAll(shards)
	defer out.Close()
	r, err := resolver.New(resolver.Config{
		Shards: shards, Producer: out, Topic: s.cfg.Kafka.Topics.Events, DeadLetter: s.deadLetters(out),
		Retry: s.cfg.Resolver.Retry, GiveUp: s.cfg.Resolver.GiveUp, Log: s.log,
	})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// several is a list of shards, or none where there is one server: its rows need no shard.
func several(clients []*chhttp.Client) []*chhttp.Client {
	if len(clients) == 1 {
		return nil
	}
	return clients
}

// hotClients are what writes to ClickHouse and what publishes beside it; the caller closes both.
func (s *system) hotClients(part string) ([]*chhttp.Client, *kgo.Client, error) {
	shards, err := openShards(s.cfg)
	if err != nil {
		return nil, nil, err
	}
	out, err := s.producer(part)
	if err != nil {
		return nil, nil, err
	}
	return shards, out, nil
}

// producer is a client that writes beside a pipeline; the caller closes it.
func (s *system) producer(part string) (*kgo.Client, error) {
	out, err := kgo.NewClient(append(s.client(part), kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()), kgo.ProducerBatchMaxBytes(8<<20))...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return out, nil
}

// deadLetters publishes dead letters and returns when they are durable.
func (s *system) deadLetters(out *kgo.Client) func(context.Context, []schemas.DeadLetter) error {
	topic := s.cfg.Kafka.Topics.DLQ
	return func(ctx context.Context, letters []schemas.DeadLetter) error {
		records := make([]*kgo.Record, len(letters))
		for i := range letters {
			records[i] = deadletter.Record(topic, &letters[i])
		}
		if err := out.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return fmt.Errorf("topic %s: %w", topic, err)
		}
		return nil
	}
}
