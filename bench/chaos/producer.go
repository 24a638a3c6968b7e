package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What a record must become is told by its header.
const (
	headerKey = "chaos"
	isEvent   = "event"   // one row
	isRepeat  = "repeat"  // none: the same event stands a few offsets before it
	isBad     = "bad"     // none, and one dead letter
	isAborted = "aborted" // none: its transaction is never committed
)

// producer sends events, and never stops. What the broker has not acknowledged it sends again, under an idempotent
// producer's promise; what a record must become does not depend on that.
type producer struct {
	client *kgo.Client
	topic  string
	rate   int
	cancel context.CancelFunc
	done   sync.WaitGroup
	acked  atomic.Int64
	paused atomic.Bool

	mu     sync.Mutex
	recent []*kgo.Record // acknowledged, to be repeated
	ids    *ids
}

func startProducer(ctx context.Context, addr, topic string, rate int) (*producer, error) {
	client, err := newClient(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &producer{client: client, topic: topic, rate: rate, cancel: cancel, ids: &ids{}}
	p.done.Go(func() { p.run(ctx) })
	return p, nil
}

func newClient(addr string) (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(addr), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000), kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

// again opens a new client, since the old one would look for a topic of the old id. The producer is paused.
func (p *producer) again(addr string) error {
	client, err := newClient(addr)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client.Close()
	p.client = client
	return nil
}

func (p *producer) stop() {
	p.cancel()
	p.done.Wait()
	p.client.Close()
}

func (p *producer) run(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begin, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(begin).Seconds() * float64(p.rate)); sent < due; sent++ {
			if r := p.record(); !p.paused.Load() && p.place(r) {
				p.send(ctx, r)
			}
		}
	}
}

func (p *producer) send(ctx context.Context, r *kgo.Record) {
	p.mu.Lock()
	client := p.client
	p.mu.Unlock()
	client.Produce(ctx, r, p.acknowledged)
}

// place gives a record the partition of its channel; false while that partition is to be quiet, as each is for a while, one
// after the other, so that workers meet idle ones.
func (p *producer) place(r *kgo.Record) bool {
	channel, err := strconv.ParseInt(string(r.Key), 10, 64)
	r.Partition = int32(channel >> 24 % partitions)
	return err == nil && time.Now().Unix()/20%(partitions+1) != int64(r.Partition)
}

// pause holds the producer back, and returns when the broker has all that it sent.
func (p *producer) pause(yes bool) {
	p.paused.Store(yes)
	if yes {
		_ = p.client.Flush(timeout(20 * time.Second))
		p.mu.Lock()
		p.recent = nil // what they would repeat is in another log
		p.mu.Unlock()
	}
}

func (p *producer) acknowledged(r *kgo.Record, err error) {
	if err != nil {
		return
	}
	p.acked.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if string(r.Headers[0].Value) == isEvent {
		if p.recent = append(p.recent, r); len(p.recent) > 64 {
			p.recent = p.recent[1:]
		}
	}
}

// record makes the next record: an event, now and then one that was sent before, or one that cannot be taken.
func (p *producer) record() *kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := rand.N(1000); {
	case n < 4:
		r := p.ids.event(p.topic)
		r.Value, r.Headers[0].Value = []byte(`{"event_id":`), []byte(isBad)
		return r
	case n < 40 && len(p.recent) > 0:
		old := p.recent[rand.N(len(p.recent))]
		return &kgo.Record{Topic: p.topic, Key: old.Key, Value: old.Value, Headers: []kgo.RecordHeader{{Key: headerKey, Value: []byte(isRepeat)}}}
	}
	return p.ids.event(p.topic)
}

// ids makes events with Snowflakes that never repeat.
type ids struct {
	mu       sync.Mutex
	last, at int64
}

// epoch is that of the Snowflakes, which is the default of the configuration.
const epoch = 1_420_070_400_000

func (g *ids) next() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now().UnixMilli() - epoch
	if g.at = max(g.at, now); g.last&0xfff == 0xfff {
		g.at++
	}
	g.last = g.at<<22 | (g.last+1)&0xfff
	return g.last
}

// event makes an event of now or, rarely, of days ago.
func (g *ids) event(topic string) *kgo.Record {
	id := strconv.FormatInt(g.next(), 10)
	channel := fmt.Sprint(int64(rand.N(40)+1) << 24)
	at := time.Now().UTC()
	if rand.N(50) == 0 {
		at = at.Add(-time.Duration(rand.N(72)) * time.Hour)
	}
	doc := fmt.Sprintf(`{"event_id":%q,"type":"message.created","guild_id":"77","channel_id":%q,"message_id":%q,"user_id":"%d","content":"line %s, write to me at a%d@example.org","timestamp":%q}`,
		id, channel, id, rand.N(500)+1, id, rand.N(1000), at.Format(time.RFC3339Nano))
	return &kgo.Record{Topic: topic, Key: []byte(channel), Value: []byte(doc), Headers: []kgo.RecordHeader{{Key: headerKey, Value: []byte(isEvent)}}}
}

// transaction sends n events in a transaction of a producer of its own.
func (p *producer) transaction(ctx context.Context, addr string, n int, lives time.Duration) (*kgo.Client, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID(fmt.Sprintf("chaos-%d", rand.Int64())), kgo.TransactionTimeout(lives))
	if err != nil {
		return nil, err
	}
	if err := client.BeginTransaction(); err != nil {
		client.Close()
		return nil, err
	}
	for range n {
		r := p.ids.event(p.topic)
		r.Headers[0].Value = []byte(isAborted)
		client.Produce(ctx, r, nil)
	}
	if err := client.Flush(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}
