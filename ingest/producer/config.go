package producer

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

const (
	// DefaultMaxBuffered is the memory, in bytes, that records may take until they are acknowledged: 64 MiB.
	DefaultMaxBuffered = 64 << 20
	// batchBytes is the most that a batch holds before compression: what a topic takes unless it was told otherwise.
	batchBytes = 1_000_000
	// largeRecord is the size from which a record goes in a batch of its own, of up to maxBatch: what the events topic takes.
	largeRecord = batchBytes - 1<<10
	maxBatch    = 8<<20 - 4<<10
	// MaxRecord is the largest key and value together, in bytes, that Publish and PublishRaw take.
	MaxRecord = maxBatch - 1<<10
	// recordOverhead is what a record costs beside its key and value, about.
	recordOverhead = 256

	linger      = 5 * time.Millisecond
	watchEvery  = time.Second
	defaultWarn = 5 * time.Second
)

// Config says where to publish. Brokers and Topic are needed.
type Config struct {
	Brokers []string // seed addresses, host:port
	Topic   string

	// Epoch is the zero of the ids made here; it must be the deployment's. 0: Discord's, 2015-01-01.
	Epoch schemas.Epoch
	// Worker and Process (0 to 31 each) keep the ids of producers apart. Both 0: a pair is picked at random; two producers
	// then share a pair once in a thousand times, so a fleet should number its members.
	Worker, Process int

	// MaxBuffered bounds the memory, in bytes, of records that wait for the broker; Publish waits while it is full. 0: DefaultMaxBuffered.
	MaxBuffered int64
	// WarnEvery is how often a log line says that the broker does not answer. 0: 5 seconds.
	WarnEvery time.Duration
	// Log is where those lines go. nil: slog.Default.
	Log *slog.Logger
	// Client holds further options of the Kafka client (TLS, SASL); they are applied last.
	Client []kgo.Opt
}

func (c *Config) defaults() {
	if c.Epoch == 0 {
		c.Epoch = schemas.DiscordEpoch
	}
	if c.MaxBuffered == 0 {
		c.MaxBuffered = DefaultMaxBuffered
	}
	if c.WarnEvery == 0 {
		c.WarnEvery = defaultWarn
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

// Validate reports every mistake of the configuration at once, before any I/O.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("no brokers"))
	}
	if c.Topic == "" {
		errs = append(errs, errors.New("no topic"))
	}
	if c.Worker < 0 || c.Worker > 31 || c.Process < 0 || c.Process > 31 {
		errs = append(errs, fmt.Errorf("worker %d and process %d must be 0 to 31", c.Worker, c.Process))
	}
	if c.MaxBuffered < 0 || c.MaxBuffered > 0 && c.MaxBuffered < MaxRecord {
		errs = append(errs, fmt.Errorf("buffer of %d bytes: want at least %d, the largest record", c.MaxBuffered, MaxRecord))
	}
	if len(errs) > 0 {
		return fmt.Errorf("producer: %w", errors.Join(errs...))
	}
	return nil
}

func (c *Config) options(hook kgo.Hook, batch int32) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.DefaultProduceTopic(c.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(kgo.ZstdCompression().WithLevel(1), kgo.Lz4Compression(), kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(batch),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		// The bound on memory is the producer's own, so that the caller's context ends a wait but never a record.
		kgo.MaxBufferedRecords(1 << 30),
		// Nothing gives up but the end of the producer: what waits is retried until the broker answers.
		kgo.UnknownTopicRetries(-1),
		kgo.RetryBackoffFn(func(int) time.Duration { return 250 * time.Millisecond }),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Minute),
		kgo.DialTimeout(5 * time.Second),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.WithHooks(hook),
	}, c.Client...)
}
