package producer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/semaphore"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// ErrTooLarge is the error of a record above MaxRecord; it was not published.
var ErrTooLarge = errors.New("record too large")

// ErrNoTopic is the error of Ping when the broker answers but does not have the topic.
var ErrNoTopic = errors.New("topic does not exist")

// Counts says what became of the records that a producer took.
type Counts struct {
	Records  int64 // taken by Publish and PublishRaw
	Bytes    int64 // their keys and values
	Acked    int64 // acknowledged by the broker
	Failed   int64 // refused for good, or given up by Close
	Resent   int64 // sent anew after the client had given them up: these may stand in the topic twice, and out of order
	Buffered int64 // waiting
}

// Producer publishes to one topic. It is safe for many goroutines; records that one goroutine publishes with one key keep
// their order. Close ends it.
type Producer struct {
	cfg    Config
	client *kgo.Client
	large  *kgo.Client // for records of largeRecord bytes and more; connects when it has one
	ids    *schemas.Generator
	room   *semaphore.Weighted // bytes of MaxBuffered
	turn   *semaphore.Weighted // one for each record being handed over, all for a large one
	judges sync.Pool

	ctx     context.Context // ends with the producer
	stop    context.CancelFunc
	watched sync.WaitGroup
	closing sync.Once

	records, bytes, acked, failed, resent, buffered atomic.Int64

	mu        sync.Mutex
	refused   error // the first permanent refusal
	retry     []*kgo.Record
	idle      chan struct{} // closed when buffered falls to 0, if someone waits
	lastError error         // of the last connection that failed
}

// New makes a producer; it does no I/O, so an unreachable broker shows in Ping, or in the log when records wait.
func New(cfg Config) (*Producer, error) {
	cfg.defaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	worker, process := cfg.Worker, cfg.Process
	if worker == 0 && process == 0 {
		var b [2]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("producer: pick a worker: %w", err)
		}
		worker, process = int(b[0]&31), int(b[1]&31)
	}
	ids, err := schemas.NewGenerator(cfg.Epoch, worker, process, nil)
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	p := &Producer{cfg: cfg, ids: ids, room: semaphore.NewWeighted(cfg.MaxBuffered), turn: semaphore.NewWeighted(everyTurn)}
	p.judges.New = func() any { return &judge{codec: codec.JSON{Epoch: cfg.Epoch}, batch: new(schemas.Batch)} }
	if p.client, err = kgo.NewClient(cfg.options(connectHook{p}, batchBytes)...); err != nil {
		return nil, fmt.Errorf("producer: open Kafka client: %w", err)
	}
	if p.large, err = kgo.NewClient(cfg.options(connectHook{p}, maxBatch)...); err != nil {
		return nil, fmt.Errorf("producer: open Kafka client: %w", err)
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.watched.Go(p.watch)
	return p, nil
}

// Topic is the topic that it publishes to.
func (p *Producer) Topic() string { return p.cfg.Topic }

// Epoch is the zero of its ids.
func (p *Producer) Epoch() schemas.Epoch { return p.cfg.Epoch }

// Ping asks the broker for the topic. Its error wraps ErrNoTopic when the topic is not there.
func (p *Producer) Ping(ctx context.Context) error {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(p.cfg.Topic)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return fmt.Errorf("producer: reach Kafka at %v: %w", p.cfg.Brokers, err)
	}
	if len(resp.Topics) != 1 {
		return fmt.Errorf("producer: broker answered for %d topics instead of %s", len(resp.Topics), p.cfg.Topic)
	}
	switch err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("producer: topic %s: %w", p.cfg.Topic, ErrNoTopic)
	case err != nil:
		return fmt.Errorf("producer: topic %s: %w", p.cfg.Topic, err)
	}
	return nil
}

// NewID makes a Snowflake, as Publish does for an event without an id. It waits when ids are asked faster than a
// Snowflake has room for, about four million a second.
func (p *Producer) NewID(ctx context.Context) (int64, error) {
	for {
		id, err := p.ids.Next()
		if !errors.Is(err, schemas.ErrClockAhead) {
			return id, err
		}
		t := time.NewTimer(10 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return 0, ctx.Err()
		}
	}
}

// PublishRaw puts a record into the buffer, waiting while that is full or until ctx ends. The value is not looked at:
// judging is the pipeline's. A nil key spreads records over the partitions. The producer keeps both slices until the
// record is acknowledged; the caller must not change them any more.
func (p *Producer) PublishRaw(ctx context.Context, key, value []byte) error {
	size := int64(len(key) + len(value))
	if size > MaxRecord {
		return fmt.Errorf("publish %d bytes to %s: %w: the topic takes up to %d", size, p.cfg.Topic, ErrTooLarge, MaxRecord)
	}
	if err := p.Err(); err != nil {
		return err
	}
	if err := p.acquire(ctx, p.room, size+recordOverhead); err != nil {
		return fmt.Errorf("publish to %s: %w", p.cfg.Topic, err)
	}
	if err := p.handOver(ctx, &kgo.Record{Key: key, Value: value}, size); err != nil {
		p.room.Release(size + recordOverhead)
		return fmt.Errorf("publish to %s: %w", p.cfg.Topic, err)
	}
	return nil
}

const everyTurn = 1 << 30

// handOver gives a record to its client. A large one waits until all before it are acknowledged, and all after it wait
// for it, so that order holds between the two clients.
func (p *Producer) handOver(ctx context.Context, r *kgo.Record, size int64) error {
	if size < largeRecord {
		if err := p.acquire(ctx, p.turn, 1); err != nil {
			return err
		}
		p.produce(p.client, r, size)
		p.turn.Release(1)
		return nil
	}
	if err := p.acquire(ctx, p.turn, everyTurn); err != nil {
		return err
	}
	defer p.turn.Release(everyTurn)
	if err := p.Flush(ctx); err != nil {
		return err
	}
	p.produce(p.large, r, size)
	_ = p.Flush(ctx) // the record is taken: what becomes of it shows in the next call
	return nil
}

func (p *Producer) produce(c *kgo.Client, r *kgo.Record, size int64) {
	p.records.Add(1)
	p.bytes.Add(size)
	p.buffered.Add(1)
	c.Produce(p.ctx, r, p.done)
}

// acquire waits for n of what there is, until ctx or the producer ends.
func (p *Producer) acquire(ctx context.Context, of *semaphore.Weighted, n int64) error {
	if of.TryAcquire(n) {
		return nil
	}
	wait, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ctx, func() { cancel(kgo.ErrClientClosed) })()
	if of.Acquire(wait, n) != nil {
		return context.Cause(wait)
	}
	return nil
}

// done is called by the client, in order, when a record was acknowledged or failed.
func (p *Producer) done(r *kgo.Record, err error) {
	switch {
	case err == nil:
		p.acked.Add(1)
	case p.ctx.Err() == nil && passing(err):
		p.resent.Add(1)
		p.mu.Lock()
		p.retry = append(p.retry, r)
		p.mu.Unlock()
		return
	default:
		p.failed.Add(1)
		if p.ctx.Err() == nil {
			p.refuse(fmt.Errorf("publish %d bytes to %s: %w", len(r.Value), p.cfg.Topic, err))
		}
	}
	p.room.Release(int64(len(r.Key)+len(r.Value)) + recordOverhead)
	if p.buffered.Add(-1) == 0 {
		p.mu.Lock()
		if p.idle != nil {
			close(p.idle)
			p.idle = nil
		}
		p.mu.Unlock()
	}
}

// passing reports an error that ends the client's own retries but not ours: the broker has forgotten the producer, is on
// its way up, or cannot be reached in a way that the client takes for lasting. Only what the broker itself refuses for
// good is left. The record is sent anew, under a new producer id, and may then stand after records published later.
func passing(err error) bool {
	var broker *kerr.Error
	switch {
	case errors.Is(err, kgo.ErrClientClosed):
		return false
	case !errors.As(err, &broker):
		return true
	}
	switch broker.Code {
	case kerr.OutOfOrderSequenceNumber.Code, kerr.UnknownProducerID.Code, kerr.InvalidProducerIDMapping.Code,
		kerr.InvalidProducerEpoch.Code, kerr.ProducerFenced.Code:
		return true
	}
	return broker.Retriable
}

func (p *Producer) refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused == nil {
		p.refused = err
	}
}

// Err is the first permanent refusal of a record by the broker, or nil.
func (p *Producer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// Counts says what became of the records so far.
func (p *Producer) Counts() Counts {
	return Counts{
		Records: p.records.Load(), Bytes: p.bytes.Load(), Acked: p.acked.Load(),
		Failed: p.failed.Load(), Resent: p.resent.Load(), Buffered: p.buffered.Load(),
	}
}

// Flush waits until every record published so far is acknowledged. It returns the first permanent refusal, or ctx's error.
func (p *Producer) Flush(ctx context.Context) error {
	for {
		p.mu.Lock()
		if p.buffered.Load() == 0 {
			defer p.mu.Unlock()
			return p.refused
		}
		if p.idle == nil {
			p.idle = make(chan struct{})
		}
		idle := p.idle
		p.mu.Unlock()
		select {
		case <-idle:
		case <-p.ctx.Done():
			return fmt.Errorf("flush %d records to %s: %w", p.buffered.Load(), p.cfg.Topic, kgo.ErrClientClosed)
		case <-ctx.Done():
			return fmt.Errorf("flush %d records to %s: %w", p.buffered.Load(), p.cfg.Topic, ctx.Err())
		}
	}
}

// Close flushes until ctx ends and lets go of the client. Records that were not acknowledged by then may or may not be
// in the topic; their number is in the error. A further call does nothing.
func (p *Producer) Close(ctx context.Context) error {
	err := error(nil)
	p.closing.Do(func() {
		err = p.Flush(ctx)
		p.stop()
		p.watched.Wait()
		p.client.Close()
		p.large.Close()
	})
	return err
}
