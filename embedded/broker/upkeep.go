package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// defaultRetention is Kafka's default of retention.ms, for topics that set none.
const defaultRetention = 7 * 24 * time.Hour

// upkeep is what the broker does to its logs: note their ends, drop what expired, keep within the cap. kfake's own
// retention is never run; doc.go says why.
type upkeep struct {
	broker  *Broker
	history *history
	admin   *kadm.Client
}

// keptTopic is a topic with the settings that retention needs.
type keptTopic struct {
	name       string
	id         string
	partitions []int32
	compacted  bool
	retention  time.Duration // by time of appending; negative: for ever
	maxBytes   int64         // a partition's; negative: no limit
}

// startUpkeep begins the rounds and hooks DeleteRecords, so that a log that a client empties keeps its end.
func (b *Broker) startUpkeep(h *history) error {
	listening := b.listening
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listening) // the advertised address may lead elsewhere
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(listening), kgo.Dialer(dial), kgo.ClientID("coldstream-broker-upkeep"))
	if err != nil {
		return fmt.Errorf("upkeep client: %w", err)
	}
	b.upkeep = &upkeep{broker: b, history: h, admin: kadm.NewClient(client)}
	b.cluster.ControlKey(int16(kmsg.DeleteRecords), b.upkeep.beforeDelete)
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.ticking.Go(func() { b.upkeep.run(ctx) })
	return nil
}

// run makes a round at every tick until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	defer u.admin.Close()
	ticker := time.NewTicker(u.broker.cfg.RetentionTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := u.round(ctx, now); err != nil && ctx.Err() == nil {
				u.broker.cfg.Log.Error("broker: upkeep failed, trying again at the next tick", "error", err)
			}
		}
	}
}

// round is one pass over all topics.
func (u *upkeep) round(ctx context.Context, now time.Time) error {
	topics, err := u.topics(ctx)
	if err != nil {
		return err
	}
	if err := u.note(topics, now); err != nil {
		return err
	}
	deletes := kadm.Offsets{}
	for _, topic := range topics {
		if err := u.expire(topic, now, deletes); err != nil {
			return err
		}
	}
	if err := u.cap(topics, deletes); err != nil {
		return err
	}
	return u.delete(ctx, deletes)
}

// topics lists the topics with their settings.
func (u *upkeep) topics(ctx context.Context) ([]keptTopic, error) {
	listed, err := u.admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	if len(listed) == 0 {
		return nil, nil
	}
	configs, err := u.admin.DescribeTopicConfigs(ctx, listed.Names()...)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	var topics []keptTopic
	for _, detail := range listed.Sorted() {
		topic := keptTopic{name: detail.Topic, id: topicID(detail.ID).String(), retention: defaultRetention, maxBytes: -1}
		topic.partitions = detail.Partitions.Numbers()
		config, err := configs.On(detail.Topic, nil)
		if err == nil {
			err = config.Err
		}
		if err != nil {
			return nil, fmt.Errorf("describe topic %s: %w", detail.Topic, err)
		}
		for _, c := range config.Configs {
			if err := topic.set(c.Key, c.MaybeValue()); err != nil {
				return nil, err
			}
		}
		topics = append(topics, topic)
	}
	return topics, nil
}

// spacing is how far apart the topic's history keeps its points.
func (t *keptTopic) spacing() time.Duration {
	if t.compacted || t.retention < 0 {
		return onlyLatest
	}
	return t.retention / historyPoints
}

// set takes over one topic setting.
func (t *keptTopic) set(key, value string) (err error) {
	switch key {
	case "cleanup.policy":
		t.compacted = !slices.Contains(strings.Split(value, ","), "delete")
	case "retention.ms":
		var ms int64
		ms, err = strconv.ParseInt(value, 10, 64)
		if t.retention = -1; ms >= 0 {
			t.retention = time.Duration(min(ms, int64(1<<43))) * time.Millisecond // 2⁴³ ms: 278 years
		}
	case "retention.bytes":
		t.maxBytes, err = strconv.ParseInt(value, 10, 64)
	}
	if err != nil {
		return fmt.Errorf("setting %s of topic %s: %w", key, t.name, err)
	}
	return nil
}

// note saves where every log ends. It runs before anything is dropped.
func (u *upkeep) note(topics []keptTopic, now time.Time) error {
	alive := map[string]bool{}
	for _, topic := range topics {
		for _, info := range u.broker.cluster.PartitionInfos(topic.name) {
			key := partitionKey(topic.id, info.Partition)
			alive[key] = true
			if info.HighWatermark > 0 {
				u.history.record(key, info.HighWatermark, now, topic.spacing())
			}
		}
	}
	u.history.keepOnly(alive)
	return u.history.save()
}

// noteEnds saves where every log ends at an orderly stop; kfake itself forgets the end of an emptied log.
func (u *upkeep) noteEnds() error {
	topics, err := storedTopics(u.broker.cfg.Dir)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	var kept []keptTopic
	for _, topic := range topics {
		kept = append(kept, keptTopic{name: topic.Name, id: topic.ID})
	}
	if err := u.note(kept, time.Now()); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// expire adds to deletes what topic's limits by time and by size have passed.
func (u *upkeep) expire(topic keptTopic, now time.Time, deletes kadm.Offsets) error {
	if topic.compacted {
		return nil
	}
	for _, partition := range topic.partitions {
		if topic.retention >= 0 {
			if to, ok := u.history.expired(partitionKey(topic.id, partition), now.Add(-topic.retention)); ok {
				raise(deletes, topic.name, partition, to)
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
			raise(deletes, topic.name, partition, segments[keep].base)
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

// delete drops what deletes names and is still there.
func (u *upkeep) delete(ctx context.Context, deletes kadm.Offsets) error {
	pending := kadm.Offsets{}
	deletes.Each(func(o kadm.Offset) {
		info := u.broker.cluster.PartitionInfo(o.Topic, o.Partition)
		if info != nil && o.At > info.LogStartOffset && o.At <= info.HighWatermark {
			pending.Add(o)
		}
	})
	if len(pending) == 0 {
		return nil
	}
	responses, err := u.admin.DeleteRecords(ctx, pending)
	if err == nil {
		err = responses.Error()
	}
	if err != nil {
		return fmt.Errorf("delete expired records: %w", err)
	}
	return nil
}

// beforeDelete saves the ends before a client's DeleteRecords is carried out, and leaves the request to kfake.
func (u *upkeep) beforeDelete(req kmsg.Request) (kmsg.Response, error, bool) {
	u.broker.cluster.KeepControl()
	now := time.Now()
	for _, topic := range req.(*kmsg.DeleteRecordsRequest).Topics {
		info := u.broker.cluster.TopicInfo(topic.Topic)
		if info == nil {
			continue
		}
		for _, partition := range u.broker.cluster.PartitionInfos(topic.Topic) {
			u.history.record(partitionKey(topicID(info.TopicID).String(), partition.Partition), partition.HighWatermark, now, 0)
		}
	}
	if err := u.history.save(); err != nil {
		u.broker.cfg.Log.Error("broker: cannot save log ends before a delete", "error", err)
		return nil, errors.New("cannot save log ends"), true // kfake closes the connection; nothing was deleted
	}
	return nil, nil, false
}
