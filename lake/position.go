package lake

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
)

// PropertyPosition is the table property (and entry of every snapshot's summary) with the position, as JSON.
const PropertyPosition = "coldstream.position"

// PositionVersion is the format of the position and of the list of sources.
const PositionVersion = 1

var (
	// ErrGap says that a checkpoint starts after the position: offsets between them are in no checkpoint that came before.
	ErrGap = errors.New("gap: offsets before the checkpoint were never committed")
	// ErrOverlap says that a checkpoint lies partly below the position: its rows would be in the table twice.
	ErrOverlap = errors.New("overlap: part of the checkpoint is in the table already")
	// ErrForeign says that a checkpoint, or topic `chunks` itself, comes from another cluster or from a topic that was made again.
	ErrForeign = errors.New("foreign cluster or topic")
)

// Position says how far the table is: what it holds, and from where the next checkpoint must start.
type Position struct {
	FormatVersion int              `json:"format_version"`
	Chunks        ChunksPosition   `json:"chunks"`
	Sources       []SourcePosition `json:"sources,omitempty"` // by source number, then partition
	// CompleteMs is complete-until in Unix milliseconds; 0 while not known. See CompleteUntil.
	CompleteMs int64 `json:"complete_until_ms,omitempty"`
}

// ChunksPosition is the position in topic `chunks`. Zero until the first checkpoint was committed.
type ChunksPosition struct {
	Cluster string `json:"cluster,omitempty"`
	Topic   string `json:"topic,omitempty"`
	TopicID string `json:"topic_id,omitempty"`
	Next    int64  `json:"next"` // first offset that was not looked at
}

// SourcePosition is the position in one source partition.
type SourcePosition struct {
	Source     int    `json:"source"` // number in the table's list of sources
	Cluster    string `json:"cluster"`
	Topic      string `json:"topic"`
	TopicID    string `json:"topic_id"`
	Partition  int32  `json:"partition"`
	Next       int64  `json:"next"`
	CompleteMs int64  `json:"complete_ms,omitempty"` // see SourceRange.CompleteMs
	// Retired says that the topic was deleted and another adopted in its place: complete-until does not wait for it.
	Retired bool `json:"retired,omitempty"`
}

// Next gives the next offset of a source partition; false where the table has nothing of it yet.
func (p *Position) Next(cluster, topicID string, partition int32) (int64, bool) {
	if s := p.find(cluster, topicID, partition); s != nil {
		return s.Next, true
	}
	return 0, false
}

func (p *Position) find(cluster, topicID string, partition int32) *SourcePosition {
	for i := range p.Sources {
		s := &p.Sources[i]
		if s.Cluster == cluster && s.TopicID == topicID && s.Partition == partition {
			return s
		}
	}
	return nil
}

// Apply moves p past a checkpoint and says true; false if the checkpoint lies wholly below, so that it must be
// dropped. On an error (ErrGap, ErrOverlap, ErrForeign) p is as it was. sources is the table's list.
func (p *Position) Apply(c *Checkpoint, sources []Source) (bool, error) {
	equal, below, gap := true, true, false
	numbers := make([]int, len(c.Sources))
	for i, r := range c.Sources {
		numbers[i] = slices.IndexFunc(sources, func(s Source) bool {
			return s.Cluster == r.Cluster && s.TopicID == r.TopicID
		})
		if numbers[i] < 0 {
			return false, fmt.Errorf("checkpoint %s: topic %s (id %s) of cluster %s is not a source of this table: %w",
				c.ID, r.Topic, r.TopicID, r.Cluster, ErrForeign)
		}
		next, known := p.Next(r.Cluster, r.TopicID, r.Partition)
		equal = equal && (!known || r.From == next)
		below = below && known && r.Next <= next
		gap = gap || known && r.From > next
	}
	switch {
	case equal:
		p.advance(c, numbers)
		return true, nil
	case below:
		return false, nil
	case gap:
		return false, fmt.Errorf("checkpoint %s of %s: %s: %w; `coldstream lake accept-gap` records the loss and goes on", c.ID, c.Worker, p.compare(c), ErrGap)
	}
	return false, fmt.Errorf("checkpoint %s of %s: %s: %w", c.ID, c.Worker, p.compare(c), ErrOverlap)
}

func (p *Position) advance(c *Checkpoint, numbers []int) {
	for i, r := range c.Sources {
		s := p.find(r.Cluster, r.TopicID, r.Partition)
		if s == nil {
			p.Sources = append(p.Sources, SourcePosition{
				Source: numbers[i], Cluster: r.Cluster, TopicID: r.TopicID, Partition: r.Partition,
			})
			s = &p.Sources[len(p.Sources)-1]
		}
		s.Topic, s.Next = r.Topic, r.Next
		s.CompleteMs = max(s.CompleteMs, r.CompleteMs)
	}
	p.sort()
	p.CompleteMs = p.CompleteUntil()
}

func (p *Position) sort() {
	slices.SortFunc(p.Sources, func(a, b SourcePosition) int {
		return cmp.Or(a.Source-b.Source, int(a.Partition)-int(b.Partition))
	})
}

// CompleteUntil gives the Kafka record time, in Unix milliseconds, before which everything is in the table: the
// lowest of the times of all partitions that it has a position in, 0 as long as one of them is not known. Those of a topic
// that is retired count only while there are no others.
//
// It is cautious in three ways. It speaks of the time at which a record reached Kafka (LogAppendTime), because an event
// may claim any time and come any time later; it counts a partition only from its first checkpoint on, so that one that
// was just added can pull it back; and it stands still while a partition has no owner. Where a broker keeps the
// producers' own times (CreateTime) it is as true as their clocks.
func (p *Position) CompleteUntil() int64 {
	var low, retired []int64
	for _, s := range p.Sources {
		if s.Retired {
			retired = append(retired, s.CompleteMs)
		} else {
			low = append(low, s.CompleteMs)
		}
	}
	switch {
	case len(low) > 0:
		return slices.Min(low)
	case len(retired) > 0:
		return slices.Min(retired)
	}
	return 0
}

// compare tells an operator what of a checkpoint does not meet the position.
func (p *Position) compare(c *Checkpoint) string {
	text := ""
	for _, r := range c.Sources {
		next, known := p.Next(r.Cluster, r.TopicID, r.Partition)
		if known && r.From != next {
			text += fmt.Sprintf("%s/%d: [%d, %d) at position %d; ", r.Topic, r.Partition, r.From, r.Next, next)
		}
	}
	return text[:max(0, len(text)-2)]
}

// clone copies p, so that the copy can be advanced.
func (p *Position) clone() Position {
	c := *p
	c.Sources = slices.Clone(p.Sources)
	return c
}

func readPosition(props iceberg.Properties) (Position, error) {
	p := Position{FormatVersion: PositionVersion}
	text := props.Get(PropertyPosition, "")
	if text == "" {
		return p, nil
	}
	if err := checkVersion([]byte(text), PositionVersion); err != nil {
		return p, fmt.Errorf("property %s: %w", PropertyPosition, err)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("property %s: %w: %w", PropertyPosition, ErrDamaged, err)
	}
	return p, nil
}

func (p *Position) encode() (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode position: %w", err)
	}
	return string(b), nil
}
