package broker

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// expire adds to deletes what topic's limits by time and by size have passed and every group has
// read.
func (u *upkeep) expire(topic keptTopic, groups readers, now time.Time, deletes kadm.Offsets) error {
	if topic.compacted {
		return nil
	}
	for _, partition := range topic.partitions {
		if topic.retention >= 0 {
			if to, ok := u.history.expired(partitionKey(topic.id, partition), now.Add(-topic.retention)); ok {
				groups.drop(deletes, topic.name, partition, to)
			}
		}
		if topic.maxBytes < 0 {
			continue
		}
		segments, err := listSegments(partitionDir(u.broker.cfg.Dir, topic.name, partition))
		if err != nil {
			return fmt.Errorf("topic %s partition %d: %w", topic.name, partition, err)
		}
		if keep := firstKept(segments, topic.maxBytes); keep > 0 {
			groups.drop(deletes, topic.name, partition, segments[keep].base)
		}
	}
	return nil
}

// firstKept is the index of the first of segments that together, with those after it, have at most limit bytes; the
// last one always stays.
func firstKept(segments []segment, limit int64) int {
	var total int64
	for i := len(segments) - 1; i >= 0; i-- {
		total += segments[i].size
		if total > limit && i < len(segments)-1 {
			return i + 1
		}
	}
	return 0
}

// raise moves a delete offset up.
func raise(deletes kadm.Offsets, topic string, partition int32, to int64) {
	if have, ok := deletes.Lookup(topic, partition); !ok || have.At < to {
		deletes.Add(kadm.Offset{Topic: topic, Partition: partition, At: to, LeaderEpoch: -1})
	}
}
