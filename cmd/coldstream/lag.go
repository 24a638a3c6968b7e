package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/serve"
)

// lagMeter samples how far each consumer group is behind the last stable offsets. Seconds come from the samples: the
// age of the first at which the log had reached beyond what is committed now.
type lagMeter struct {
	adm    *kadm.Client
	groups map[string]groupTopic // by the name shown

	mu      sync.Mutex
	history map[string][]sample // oldest first
	now     map[string]serve.Lag
	rate    float64 // records a second into the events topic
	events  string
	err     error
}

type groupTopic struct{ group, topic string }

type sample struct {
	at  time.Time
	end int64 // sum of the topic's last stable offsets
}

const (
	sampleEvery  = 2 * time.Second
	sampleMemory = 1800 // an hour
)

func newLagMeter(cfg *config.Config) (*lagMeter, error) {
	cl, err := kgo.NewClient(kafkaclient.Options(&cfg.Kafka, "lag")...)
	if err != nil {
		return nil, err
	}
	k := &cfg.Kafka
	return &lagMeter{
		adm: kadm.NewClient(cl), events: k.Topics.Events, history: map[string][]sample{}, now: map[string]serve.Lag{},
		groups: map[string]groupTopic{
			"hot": {k.GroupOf("hot"), k.Topics.Events}, "cold": {k.GroupOf("cold"), k.Topics.Events},
			"commit": {k.GroupOf("committer"), k.Topics.Chunks},
		},
	}, nil
}

// Run samples until ctx ends.
func (m *lagMeter) Run(ctx context.Context) error {
	defer m.adm.Close()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	failed := false
	for {
		err := m.sample(ctx)
		m.mu.Lock()
		if m.err = nil; failed { // once may be a broker that has just come up
			m.err = err
		}
		failed = err != nil
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (m *lagMeter) sample(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for name, g := range m.groups {
		ends, err := m.adm.ListCommittedOffsets(ctx, g.topic)
		if err != nil {
			return err
		}
		committed, err := m.adm.FetchOffsetsForTopics(ctx, g.group, g.topic)
		if err != nil {
			return err
		}
		m.note(name, g.topic, ends, committed, time.Now())
	}
	return nil
}

func (m *lagMeter) note(name, topic string, ends kadm.ListedOffsets, committed kadm.OffsetResponses, now time.Time) {
	var end, done int64
	for p, e := range ends[topic] {
		end += max(e.Offset, 0)
		if c, ok := committed.Lookup(topic, p); ok && c.At > 0 {
			done += min(c.At, e.Offset)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := append(m.history[name], sample{now, end})
	if len(h) > sampleMemory {
		h = h[len(h)-sampleMemory:]
	}
	m.history[name] = h
	lag := serve.Lag{Records: end - done}
	for _, s := range h {
		if s.end > done {
			lag.Seconds = now.Sub(s.at).Seconds()
			break
		}
	}
	m.now[name] = lag
	if topic == m.events && len(h) > 1 {
		from := h[max(0, len(h)-6)]
		m.rate = float64(end-from.end) / max(now.Sub(from.at).Seconds(), 1)
	}
}

// lags are the latest figures, and the rate of records into the events topic a second.
func (m *lagMeter) lags() (map[string]serve.Lag, float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]serve.Lag{}
	for k, v := range m.now {
		out[k] = v
	}
	return out, m.rate, m.err
}
