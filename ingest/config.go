package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/schemas"
)

// FloorFunc says where the table stands: for each source, in the order given, the source with its Index set and the
// table's next offset, negative where it has nothing of the source. It is asked at every assignment, and again while it
// has less of a source than the group has committed; that ends in ErrForeignGroup.
type FloorFunc = func(ctx context.Context, sources []schemas.Source) ([]schemas.Start, error)

// Config is what a Pipeline needs. Zero durations and numbers take the defaults named.
type Config struct {
	Client []kgo.Opt // seed brokers, TLS, SASL; at least one seed
	Topics []string  // topics of events
	Group  string

	// TransactionalID, if set, makes every commit a Kafka transaction. It must be unique among live workers and
	// survive restarts; see OpenInstance.
	TransactionalID string

	// TransactionTopics are those, beside Topics, to which the group's transactions write.
	TransactionTopics []string

	// Floor is asked where the table stands; reading starts at the later of that and the group's offset. nil: the
	// group's offset alone.
	Floor FloorFunc

	Decoder    func(topic string) Decoder              // called once a topic and membership
	Processors func(source schemas.Source) []Processor // called at every assignment; nil: none
	Sink       Sink

	// Publish writes what processors route to other topics, and samples of repeats, before the rows of the same offsets
	// reach the sink. nil: rows that are to leave are dropped here, and nothing is published.
	Publish PublishFunc
	Sample  Sample // of what a Historian drops

	MaxPoll            int           // records a poll; default 10,000
	FetchBytes         int32         // bytes a fetch, compressed; default 8 MiB. Memory is some ten times that
	Tick               time.Duration // longest time between two Sink.Tick; default 50 ms
	SessionTimeout     time.Duration // default 45 s
	Heartbeat          time.Duration // default 3 s
	RebalanceTimeout   time.Duration // default 60 s; a third of it is a revoke's bound
	TransactionTimeout time.Duration // default 15 s, the broker's bound; the pipeline gives up at two thirds
	CloseTimeout       time.Duration // bound of the last Sink.Close; default 20 s
	Idle               time.Duration // how often an Idler is told; default 10 s
	Hanging            time.Duration // how often it is looked for transactions that the broker has left open; default 30 s
	Backoff            time.Duration // wait before joining again after a rewind, at most; default 2 s

	Logger *slog.Logger     // default slog.Default()
	Now    func() time.Time // default time.Now
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.Tick, 50*time.Millisecond)
	def(&c.SessionTimeout, 45*time.Second)
	def(&c.Heartbeat, 3*time.Second)
	def(&c.RebalanceTimeout, time.Minute)
	def(&c.TransactionTimeout, 15*time.Second)
	def(&c.CloseTimeout, 20*time.Second)
	def(&c.Backoff, 2*time.Second)
	def(&c.Idle, 10*time.Second)
	def(&c.Hanging, 30*time.Second)
	if c.MaxPoll == 0 {
		c.MaxPoll = 10_000
	}
	if c.FetchBytes == 0 {
		c.FetchBytes = 8 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = faults.Now
	}
	if c.Processors == nil {
		c.Processors = func(schemas.Source) []Processor { return nil }
	}
	return c
}

// Validate reports everything that is wrong, before any I/O.
func (c Config) Validate() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("pipeline %q: %s", c.Group, what))
		}
	}
	need(len(c.Client) > 0, "no client options: name at least the brokers")
	need(len(c.Topics) > 0, "no topics")
	need(c.Group != "", "no consumer group")
	need(c.Decoder != nil, "no decoder")
	need(c.Sink != nil, "no sink")
	for _, d := range []time.Duration{c.Tick, c.SessionTimeout, c.Heartbeat, c.RebalanceTimeout, c.TransactionTimeout, c.CloseTimeout, c.Backoff, c.Idle, c.Hanging} {
		need(d >= 0, "a negative duration")
	}
	need(c.MaxPoll >= 0 && c.FetchBytes >= 0, "a negative limit")
	return errors.Join(errs...)
}

// maxDecompressed bounds what one compressed batch may unfold to; topics take batches of 8 MiB.
const maxDecompressed = 64 << 20

func (c Config) options() []kgo.Opt {
	opts := append([]kgo.Opt{}, c.Client...)
	opts = append(
		opts,
		kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topics...),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.BlockRebalanceOnPoll(), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), // and stable offsets, which the client always asks for
		kgo.KeepControlRecords(),      // markers move the position past transactions that leave no records
		kgo.WithPools(new(fetchPool)), // see session.take, which recycles
		kgo.FetchMaxBytes(c.FetchBytes), kgo.FetchMaxPartitionBytes(c.FetchBytes/2), kgo.MaxDecompressBatchBytes(maxDecompressed),
		kgo.SessionTimeout(c.SessionTimeout), kgo.HeartbeatInterval(c.Heartbeat), kgo.RebalanceTimeout(c.RebalanceTimeout),
	)
	if c.TransactionalID != "" {
		opts = append(opts, kgo.TransactionalID(c.TransactionalID), kgo.TransactionTimeout(c.TransactionTimeout),
			kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()), kgo.ProducerBatchMaxBytes(producerBatchBytes))
	}
	return opts
}

// producerBatchBytes lets a dead letter carry the largest record that the topic of events takes.
const producerBatchBytes = 8<<20 + 64<<10
