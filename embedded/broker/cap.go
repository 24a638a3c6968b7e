package broker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// cappedSegment is a closed segment that the cap may drop.
type cappedSegment struct {
	topic     string
	partition int32
	next      int64 // base of the segment after it: dropping it means deleting up to here
	size      int64
	read      bool    // by every group that reads its topic; false when none does
	rank      float64 // its place in its log, 0 the oldest; the cap takes lowest first, evenly over partitions
}

// usage is what the logs take.
type usage struct {
	total      int64 // bytes
	unread     int64 // bytes of segments that hold records of limited topics which a group has yet to read
	behind     map[string]int64
	candidates []cappedSegment
	topics     []string // limited ones with readers, sorted: those that can be refused
	full       []string // those of topics that have something unread
}

// look keeps the logs within the cap between the rounds: an import fills a disk faster than a round comes. It costs a
// listing of the folder while there is room.
func (u *upkeep) look(ctx context.Context, now time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	size, err := logBytes(u.broker.cfg.Dir)
	if err != nil {
		return err
	}
	free, err := u.free(u.broker.cfg.Dir)
	if err != nil {
		return err
	}
	if size <= u.broker.cfg.MaxBytes && free >= minFreeBytes && u.refusing == nil {
		return nil
	}
	topics, err := u.topics(ctx)
	if err != nil {
		return err
	}
	groups, err := u.readers(ctx, topics)
	if err != nil {
		return err
	}
	deletes := kadm.Offsets{}
	if err := u.fit(topics, groups, now, deletes); err != nil {
		return err
	}
	return u.delete(ctx, deletes)
}

// fit adds to deletes what has to go to keep within the cap and the disk, and refuses or takes producers' records
// according to what is left.
func (u *upkeep) fit(topics []keptTopic, groups readers, now time.Time, deletes kadm.Offsets) error {
	used, err := u.measure(topics, groups)
	if err != nil {
		return err
	}
	free, err := u.free(u.broker.cfg.Dir)
	if err != nil {
		return err
	}
	if now.After(u.capFrom) {
		u.cap(used, free, now, deletes)
	}
	u.admit(used, free, now)
	return nil
}

// measure adds the logs up. Logs without a limit by time count but are no candidates: nobody said that they may be lost.
func (u *upkeep) measure(topics []keptTopic, groups readers) (*usage, error) {
	used := &usage{behind: map[string]int64{}}
	for _, topic := range topics {
		before := used.unread
		for _, partition := range topic.partitions {
			segments, err := listSegments(partitionDir(u.broker.cfg.Dir, topic.name, partition))
			if err != nil {
				return nil, fmt.Errorf("topic %s partition %d: %w", topic.name, partition, err)
			}
			f, hasReaders := groups.floor(topic.name, partition)
			for i, s := range segments {
				used.total += s.size
				if !topic.limited() {
					continue
				}
				next, last := u.segmentEnd(topic.name, partition, segments, i)
				switch {
				case hasReaders && next > f.at:
					used.unread += s.size
					used.behind[f.group] += s.size
				case !last:
					rank := float64(i) / float64(len(segments))
					used.candidates = append(used.candidates, cappedSegment{topic.name, partition, next, s.size, hasReaders, rank})
				}
			}
		}
		if topic.limited() && groups[topic.name] != nil {
			used.topics = append(used.topics, topic.name)
			if used.unread > before {
				used.full = append(used.full, topic.name)
			}
		}
	}
	return used, nil
}

// segmentEnd is the offset after the i-th of segments, and whether that is the active one.
func (u *upkeep) segmentEnd(topic string, partition int32, segments []segment, i int) (next int64, last bool) {
	if i < len(segments)-1 {
		return segments[i+1].base, false
	}
	if info := u.broker.cluster.PartitionInfo(topic, partition); info != nil {
		return info.HighWatermark, true
	}
	return segments[i].base, true // deleted meanwhile
}

// cap adds to deletes the oldest segments, so that all logs together have at most MaxBytes besides what is unread, and,
// of what has been read, so many that minFreeBytes of the disk are free. What is unread stays, and does not push out
// what has no readers, such as dead letters.
func (u *upkeep) cap(used *usage, free int64, now time.Time, deletes kadm.Offsets) {
	excess := used.total - used.unread - u.broker.cfg.MaxBytes
	if excess > 0 && u.due("cap", now) {
		u.broker.cfg.Log.Warn("broker: over the cap, dropping the oldest records before their time",
			"bytes", used.total, "unread", used.unread, "cap", u.broker.cfg.MaxBytes)
	}
	dropOldest(used.candidates, excess, deletes)
	read := slices.DeleteFunc(slices.Clone(used.candidates), func(c cappedSegment) bool { return !c.read })
	dropOldest(read, minFreeBytes-free, deletes)
}

// dropOldest picks segments of excess bytes: what every group has read before what none reads, the oldest first.
func dropOldest(candidates []cappedSegment, excess int64, deletes kadm.Offsets) {
	slices.SortStableFunc(candidates, func(a, b cappedSegment) int {
		if a.read != b.read {
			if a.read {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.rank, b.rank)
	})
	for _, c := range candidates {
		if excess <= 0 {
			return
		}
		raise(deletes, c.topic, c.partition, c.next)
		excess -= c.size
	}
}
