package ingest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// Processor changes a batch in place (redaction), marks rows with Batch.Drop (filters), Batch.Refuse (dead letters) or
// Batch.Route (other topics). A processor belongs to one partition and is called by one goroutine; it must not keep the
// batch. An error is the stage's own: the pipeline rewinds and reads again, with new processors.
type Processor interface {
	Process(b *schemas.Batch) error
}

// Historian is a Processor that needs the rows before the start of reading, as dedup does. Remember gets them in the
// order of their offsets before the first call of Process; the rows themselves go nowhere.
type Historian interface {
	Processor
	History() int64 // how many offsets before the start it needs
	Remember(b *schemas.Batch)
}

// CommitFunc makes offsets durable: the group's next offset of each range's source becomes its Next. In a pipeline with
// a TransactionalID it is one Kafka transaction with the records (at least one), all or nothing; otherwise records must be
// empty and it is a plain commit. It may be called only inside a call of the sink's (Write, Tick, Revoke, Close).
//
// Its error wraps schemas.ErrRewind when nothing was committed, or when that cannot be known: the sink then forgets what
// it holds and returns the error. It is an alias so that a sink can declare the same type without importing this package.
type CommitFunc = func(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error

// Sink takes what a pipeline reads and makes it durable. The pipeline never calls two methods at the same time, and a
// method must not wait for a slow store: it answers, and Pressure holds the reading back. The exceptions are Revoke and
// Close, which may take as long as their context lives.
//
// An error that wraps schemas.ErrRewind makes the pipeline leave the group, call Lost for everything, join again
// and read from the committed offsets, unless that happens ten times without a commit between. Any other error ends the
// pipeline.
type Sink interface {
	// Open begins a membership of the consumer group; nothing is held. commit is valid until the next Open.
	Open(ctx context.Context, commit CommitFunc) error
	// Assign adds sources, with the first offset that Write will bring of each.
	Assign(ctx context.Context, starts []schemas.Start) error
	// Write takes the next range of one source: its rows in offset order (perhaps none; a row's Source, Partition and
	// Offset are set) and the records refused. The sink copies the rows it keeps, or keeps the batch (Batch.Keep); the
	// dead letters are its own.
	// r.From is the Next of the range before, or the start.
	Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error
	// Tick is called between polls, at least every Config.Tick: the place for flushes by time and for finishing what
	// the sink's own goroutines have done.
	Tick(ctx context.Context, now time.Time) error
	// Revoke makes what is held of the sources durable and lets go of them. When ctx ends first, it discards.
	Revoke(ctx context.Context, sources []schemas.Source) error
	// Lost discards what is held of the sources: they have another owner already.
	Lost(sources []schemas.Source)
	// Close makes what is held durable, as the last call; it ends the sink's goroutines even if ctx is done already.
	Close(ctx context.Context) error
}

// Pressurer is a Sink with bounded memory: while Pressure is true the pipeline does not fetch, but goes on with
// Tick and answers rebalances.
type Pressurer interface {
	Pressure() bool
}

// Idler is a Sink that wants to know that a source stands still: r.From == r.Next is its position, where the log ended at
// the moment that r.CompleteMs tells (less a margin for clocks). It comes every Config.Idle for each such source.
type Idler interface {
	Idle(r schemas.Range)
}

// Decoder turns a record's value into exactly one row of b, or returns a *schemas.Refusal and leaves b as it was.
// It belongs to one goroutine. Any other error ends the pipeline.
type Decoder interface {
	Decode(b *schemas.Batch, value []byte, at codec.Origin) error
}
