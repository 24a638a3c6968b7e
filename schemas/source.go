package schemas

import (
	"errors"
	"fmt"
)

// Source is one partition of one topic that events come from. A topic made again under the same name has another id.
type Source struct {
	Cluster   string // Kafka cluster id
	Topic     string
	TopicID   string // UUID text
	Index     int32  // the topic's index in the table's list of sources; 0 where there is no table
	Partition int32
}

func (s Source) String() string { return fmt.Sprintf("%s/%d", s.Topic, s.Partition) }

// Start is where the reading of a source begins: the first offset that the sink will be given.
type Start struct {
	Source
	Offset int64
}

// Range is the offsets [From, Next) of a source and what became of them. Offsets without a record (compacted, aborted,
// transaction markers), repeats and dead letters are covered like any other.
type Range struct {
	Source
	From, Next int64

	Events  int64 // rows handed on
	Repeats int64 // dropped by dedup
	Dead    int64 // dead letters

	// CompleteMs, in Unix milliseconds: every record of this source with an earlier Kafka time lies below Next. 0: unknown.
	CompleteMs int64
}

// ErrRewind says that what a sink holds can no longer be made durable (fenced, a transaction aborted or of unknown
// outcome, a bound of time passed). Whoever meets it lets go of everything held and reads again from what is committed.
var ErrRewind = errors.New("held rows discarded, reading again from the committed offsets")
