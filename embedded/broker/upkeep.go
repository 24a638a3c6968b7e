package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// defaultRetention is Kafka's default of retention.ms, for topics that set none.
const defaultRetention = 7 * 24 * time.Hour

// capGrace is how long after a start nothing is dropped by size, so that groups without a commit yet can join first.
const capGrace = time.Minute

// upkeep is what the broker does to its logs: note their ends, drop what expired, keep within
// the cap, and make producers wait where neither suffices. kfake's own
// retention is never run; doc.go says why.
type upkeep struct {
	broker  *Broker
	history *history
	admin   *kadm.Client
	free    func(dir string) (bytes int64, err error)
	capFrom time.Time // nothing goes by size before: the pipelines are still coming up

	mu         sync.Mutex                 // held by a round or a look; guards what follows
	subscribed map[string]map[string]bool // topics that members read since the start, by group
	refusing   *refusal                   // nil: every record is taken
	said       map[string]time.Time       // when a lasting state was logged last
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
	b.upkeep = &upkeep{
		broker: b, history: h, admin: kadm.NewClient(client), free: freeBytes, capFrom: time.Now().Add(capGrace),
		subscribed: map[string]map[string]bool{}, said: map[string]time.Time{},
	}
	b.cluster.ControlKey(int16(kmsg.DeleteRecords), b.upkeep.beforeDelete)
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.ticking.Go(func() { b.upkeep.run(ctx) })
	return nil
}

// run makes a round at every tick, and a look at every tick of the cap, until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	defer u.admin.Close()
	rounds, looks := time.NewTicker(u.broker.cfg.RetentionTick), time.NewTicker(u.broker.cfg.CapTick)
	defer rounds.Stop()
	defer looks.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case now := <-rounds.C:
			err = u.round(ctx, now)
		case now := <-looks.C:
			err = u.look(ctx, now)
		}
		if err != nil && ctx.Err() == nil {
			u.broker.cfg.Log.Error("broker: upkeep failed, trying again at the next tick", "error", err)
		}
	}
}

// round is one pass over all topics.
func (u *upkeep) round(ctx context.Context, now time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	topics, err := u.topics(ctx)
	if err != nil {
		return err
	}
	if err := u.note(topics, now); err != nil {
		return err
	}
	groups, err := u.readers(ctx, topics)
	if err != nil {
		return err
	}
	deletes := kadm.Offsets{}
	for _, topic := range topics {
		if err := u.expire(topic, groups, now, deletes); err != nil {
			return err
		}
	}
	if err := u.fit(topics, groups, now, deletes); err != nil {
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

// limited tells whether the topic's records may go some day.
func (t *keptTopic) limited() bool { return !t.compacted && t.retention >= 0 }

// spacing is how far apart the topic's history keeps its points.
func (t *keptTopic) spacing() time.Duration {
	if !t.limited() {
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
