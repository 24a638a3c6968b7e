package producer

import (
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// connectHook remembers why the last connection failed, so that the log can say it.
type connectHook struct{ p *Producer }

// OnBrokerConnect is kgo's hook.
func (h connectHook) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	h.p.mu.Lock()
	h.p.lastError = err
	h.p.mu.Unlock()
}

// watch sends lost records anew and says when the broker has not answered for a while. It ends with the producer.
func (p *Producer) watch() {
	tick := time.NewTicker(min(watchEvery, p.cfg.WarnEvery))
	defer tick.Stop()
	acked, since, warned := int64(0), time.Now(), false
	for {
		select {
		case <-p.ctx.Done():
			p.giveUp()
			return
		case now := <-tick.C:
			p.resend()
			if n := p.acked.Load(); n != acked || p.buffered.Load() == 0 {
				if warned {
					p.cfg.Log.Info("Kafka answers again", "brokers", p.cfg.Brokers, "topic", p.cfg.Topic)
				}
				acked, since, warned = n, now, false
			} else if now.Sub(since) >= p.cfg.WarnEvery {
				p.warn()
				since, warned = now, true
			}
		}
	}
}

func (p *Producer) warn() {
	p.mu.Lock()
	err := p.lastError
	p.mu.Unlock()
	p.cfg.Log.Warn("waiting for Kafka; publishing goes on when it answers",
		"brokers", p.cfg.Brokers, "topic", p.cfg.Topic, "waiting", p.buffered.Load(), "acknowledged", p.acked.Load(), "error", err)
}

// resend produces anew what the client gave up, in the order in which it did.
func (p *Producer) resend() {
	for _, r := range p.takeRetry() {
		c := p.client
		if len(r.Key)+len(r.Value) >= largeRecord {
			c = p.large
		}
		c.Produce(p.ctx, &kgo.Record{Key: r.Key, Value: r.Value}, p.done)
	}
}

func (p *Producer) takeRetry() []*kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := p.retry
	p.retry = nil
	return lost
}

// giveUp counts what waited to be sent anew when the producer ended.
func (p *Producer) giveUp() {
	for range p.takeRetry() {
		p.failed.Add(1)
		p.buffered.Add(-1)
	}
}
