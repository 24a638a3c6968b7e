package broker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
)

// cappedSegment is a closed segment that the cap may drop.
type cappedSegment struct {
	topic     string
	partition int32
	next      int64 // base of the segment after it: dropping it means deleting up to here
	size      int64
	rank      float64 // its place in its log, 0 the oldest; the cap takes lowest first, evenly over partitions
}

// cap adds to deletes the oldest segments of logs that are limited by time, until all logs together have at most
// MaxBytes. Logs without such a limit count but stay: nobody said that they may be lost.
func (u *upkeep) cap(topics []keptTopic, deletes kadm.Offsets) error {
	var total int64
	var candidates []cappedSegment
	for _, topic := range topics {
		for _, partition := range topic.partitions {
			segments, err := listSegments(partitionDir(u.broker.cfg.Dir, topic.name, partition))
			if err != nil {
				return fmt.Errorf("topic %s partition %d: %w", topic.name, partition, err)
			}
			for i, s := range segments {
				total += s.size
				if i == len(segments)-1 || topic.compacted || topic.retention < 0 {
					continue
				}
				rank := float64(i) / float64(len(segments))
				candidates = append(candidates, cappedSegment{topic.name, partition, segments[i+1].base, s.size, rank})
			}
		}
	}
	excess := total - u.broker.cfg.MaxBytes
	if excess <= 0 {
		return nil
	}
	u.broker.cfg.Log.Warn("broker: over the cap, dropping the oldest records before their time",
		"bytes", total, "cap", u.broker.cfg.MaxBytes)
	dropOldest(candidates, excess, deletes)
	return nil
}

// dropOldest picks segments of excess bytes, oldest first.
func dropOldest(candidates []cappedSegment, excess int64, deletes kadm.Offsets) {
	slices.SortStableFunc(candidates, func(a, b cappedSegment) int { return cmp.Compare(a.rank, b.rank) })
	for _, c := range candidates {
		if excess <= 0 {
			return
		}
		raise(deletes, c.topic, c.partition, c.next)
		excess -= c.size
	}
}
