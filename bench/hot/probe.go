package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
)

const (
	probeEvery = 25 * time.Millisecond // a message to one of the partitions in turn
	probeFirst = int64(1) << 60        // channel of the first partition's probes; no generated channel is near it
)

// prober publishes messages of its own beside the load, one channel a partition, and finds when each shows in the view
// messages.
type prober struct {
	kafka  *kgo.Client
	client *chhttp.Client
	topic  string
	every  time.Duration // how often the view is asked: the delays are exact to that

	mu     sync.Mutex
	sent   map[int64]time.Time // by message id: published, not seen yet
	delays []time.Duration
	err    error
}

func newProber(o options, topic string, client *chhttp.Client) (*prober, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &prober{kafka: cl, client: client, topic: topic, every: o.poll, sent: map[int64]time.Time{}}, nil
}

// run publishes and polls until ctx ends.
func (p *prober) run(ctx context.Context) {
	defer p.kafka.Close()
	var wg sync.WaitGroup
	wg.Go(func() { p.repeat(ctx, probeEvery, p.publish()) })
	wg.Go(func() { p.repeat(ctx, p.every, p.poll) })
	wg.Wait()
}

func (p *prober) repeat(ctx context.Context, d time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			p.mu.Lock()
			p.err = err
			p.mu.Unlock()
		}
	}
}

// publish is a function that publishes one message each time.
func (p *prober) publish() func(context.Context) error {
	n := int64(0)
	return func(ctx context.Context) error {
		n++
		now := time.Now()
		id := schemas.DiscordEpoch.ID(now.UnixMilli(), 1023<<12|uint64(n)&4095)
		partition := n % bench.Partitions
		doc := fmt.Sprintf(`{"event_id":"%d","type":"message.created","channel_id":"%d","user_id":"1","content":"probe %d","timestamp":%d}`,
			id, probeFirst+partition, n, now.UnixMilli())
		p.mu.Lock()
		p.sent[id] = now
		p.mu.Unlock()
		p.kafka.Produce(ctx, &kgo.Record{Partition: int32(partition), Value: []byte(doc)}, func(_ *kgo.Record, err error) {
			if err != nil && ctx.Err() == nil {
				p.mu.Lock()
				p.err = err
				p.mu.Unlock()
			}
		})
		return nil
	}
}

// poll looks which of the messages under way are there.
func (p *prober) poll(ctx context.Context) error {
	p.mu.Lock()
	oldest := int64(0)
	for id := range p.sent {
		if oldest == 0 || id < oldest {
			oldest = id
		}
	}
	p.mu.Unlock()
	if oldest == 0 {
		return nil
	}
	var channels []string
	for i := range int64(bench.Partitions) {
		channels = append(channels, fmt.Sprint(probeFirst+i))
	}
	rows, err := chhttp.Select[struct {
		ID int64 `json:"id"`
	}](ctx, p.client, fmt.Sprintf("SELECT message_id AS id FROM messages WHERE channel_id IN (%s) AND message_id >= %d SETTINGS max_threads = 1",
		strings.Join(channels, ", "), oldest))
	if err != nil {
		return err
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rows {
		if at, ok := p.sent[r.ID]; ok {
			p.delays = append(p.delays, now.Sub(at))
			delete(p.sent, r.ID)
		}
	}
	return nil
}

// begin forgets the delays seen so far.
func (p *prober) begin() {
	p.mu.Lock()
	p.delays = nil
	p.mu.Unlock()
}

// report says how long messages took to show, and how many are under way.
func (p *prober) report() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return "", p.err
	}
	if len(p.delays) == 0 {
		return "no message was seen", nil
	}
	slices.Sort(p.delays)
	at := func(q float64) time.Duration {
		return p.delays[min(int(q*float64(len(p.delays))), len(p.delays)-1)].Round(time.Millisecond)
	}
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, max %v of %d messages, %d under way", at(0.5), at(0.9), at(0.99), at(1), len(p.delays), len(p.sent)), nil
}
