package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/schemas"
)

// ErrOffsetGone says that the next offset to read is not in the log any more, or not yet.
var ErrOffsetGone = errors.New("offset out of range")

// open joins the group. The client it makes is the session's; member closes it.
func (s *session) open(ctx context.Context) error {
	opts := append(
		s.cfg.options(),
		kgo.AdjustFetchOffsetsFn(s.adjust),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {}), // gates adjust behind polls
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, m map[string][]int32) { s.revoked(ctx, m) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { s.lost(m) }),
	)
	// The callbacks need topics and admin, which need a client: one without a group comes first.
	if err := s.describe(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cfg.Sink.Open(ctx, s.commit); err != nil {
		return fmt.Errorf("open sink of %s: %w", s.cfg.Group, err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("client of group %s: %w", s.cfg.Group, err)
	}
	s.client, s.admin = client, kadm.NewClient(client)
	s.current = s
	return nil
}

// describe learns cluster and topic ids, and sees to it that nothing hangs that the group would wait for.
func (s *session) describe(ctx context.Context) error {
	client, err := kgo.NewClient(s.cfg.Client...)
	if err != nil {
		return fmt.Errorf("client of group %s: %w", s.cfg.Group, err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	meta, err := admin.Metadata(ctx, s.cfg.Topics...)
	if err != nil {
		return fmt.Errorf("%w: metadata of %v: %w", schemas.ErrRewind, s.cfg.Topics, err)
	}
	s.topics = make(map[string]topic, len(s.cfg.Topics))
	for _, name := range s.cfg.Topics {
		d, ok := meta.Topics[name]
		if !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("topic %s does not exist: `coldstream init` makes it", name)
		}
		if d.Err != nil {
			return fmt.Errorf("%w: metadata of %s: %w", schemas.ErrRewind, name, d.Err)
		}
		s.topics[name] = topic{cluster: meta.Cluster, id: d.ID, uuid: uuid.UUID(d.ID).String(), decoder: s.cfg.Decoder(name)}
	}
	_ = s.completeHanging(ctx, client) // offsets that hang with a transaction would be waited for
	return nil
}

// adjust decides where reading starts, after the group's offsets were fetched and before the first fetch.
func (s *session) adjust(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	s.mu.Lock() // open holds it until the session has its client
	client, admin := s.client, s.admin
	s.mu.Unlock()
	err := s.endPrevious(ctx, client)
	var plan []*partition
	if err == nil {
		plan, err = s.plan(ctx, admin, offsets)
	}
	if err != nil {
		if ctx.Err() == nil { // else the group rebalances again and asks again
			s.fail(err)
		}
		return nil, err
	}
	faults.Point(faults.WorkerAssign)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter(); err != nil {
		s.replaced(err)
		return nil, err
	}
	if err := s.assign(ctx, plan); err != nil {
		s.fail(err)
		return nil, err
	}
	for _, p := range plan {
		at := kgo.NoResetOffset().At(p.rebuild.from)
		offsets[p.src.Topic][p.src.Partition] = at
	}
	return offsets, nil
}

// assign starts the partitions of a plan, in the sink first.
func (s *session) assign(ctx context.Context, plan []*partition) error {
	if s.closing {
		return nil
	}
	starts := make([]schemas.Start, 0, len(plan))
	for _, p := range plan {
		if old := s.parts[p.key()]; old != nil { // an assignment that was cut short and comes again
			s.cfg.Sink.Lost([]schemas.Source{old.src})
			delete(s.parts, p.key())
		}
		starts = append(starts, schemas.Start{Source: p.src, Offset: p.start})
	}
	if err := s.cfg.Sink.Assign(ctx, starts); err != nil {
		return fmt.Errorf("assign to sink: %w", err)
	}
	for _, p := range plan {
		s.parts[p.key()] = p
	}
	s.countRebuilds()
	return nil
}

// plan finds the start of each partition: the later of the group's offset and the table's position, and the log's start
// where neither knows it.
func (s *session) plan(ctx context.Context, admin *kadm.Client, offsets map[string]map[int32]kgo.Offset) ([]*partition, error) {
	from, err := admin.ListStartOffsets(ctx, s.cfg.Topics...)
	if err == nil {
		err = from.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: list start offsets: %w", schemas.ErrRewind, err)
	}
	sources := s.sources(offsets)
	floors, err := s.floors(ctx, sources, offsets, from)
	if err != nil {
		return nil, err
	}
	to, err := admin.ListEndOffsets(ctx, s.cfg.Topics...)
	if err == nil {
		err = to.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: list end offsets: %w", schemas.ErrRewind, err)
	}
	plan := make([]*partition, 0, len(sources))
	var fresh []string
	for i, src := range sources {
		src.Index = floors[i].Index
		first, _ := from.Lookup(src.Topic, src.Partition)
		end, _ := to.Lookup(src.Topic, src.Partition)
		start := max(committed(offsets, src), floors[i].Offset)
		if start < 0 {
			start = first.Offset
			fresh = append(fresh, fmt.Sprintf("%s@%d", src, start))
		}
		p, err := s.planOne(src, start, first.Offset, end.Offset)
		if err != nil {
			return nil, err
		}
		plan = append(plan, p)
	}
	if len(fresh) > 0 {
		s.cfg.Logger.Info("begins at the start of the log, where neither the group nor the table has a position", "group", s.cfg.Group, "at", fresh)
	}
	return plan, nil
}

// committed is the group's offset, negative if there is none.
func committed(offsets map[string]map[int32]kgo.Offset, src schemas.Source) int64 {
	return offsets[src.Topic][src.Partition].EpochOffset().Offset
}

// mend says how to go on: with a table by the command that records it there, without one by the group's offsets alone.
func (s *session) mend(command string) string {
	if s.cfg.Floor == nil {
		return fmt.Sprintf("to go on without what is lost, reset the offsets of group %s with Kafka's own tools", s.cfg.Group)
	}
	return fmt.Sprintf("`coldstream lake %s` records it and goes on", command)
}

func (s *session) planOne(src schemas.Source, start, logStart, logEnd int64) (*partition, error) {
	switch {
	case start < logStart:
		return nil, fmt.Errorf("%w: %s: offsets %d to %d were deleted by retention before group %s read them: %s",
			ErrOffsetGone, src, start, logStart-1, s.cfg.Group, s.mend("accept-gap"))
	case start > logEnd:
		return nil, fmt.Errorf("%w: %s: group %s stands at %d, the log ends at %d: the topic lost data or was made again: %s",
			ErrOffsetGone, src, s.cfg.Group, start, logEnd, s.mend("adopt-topic"))
	}
	p := &partition{src: src, start: start, next: start, logStart: logStart, processors: s.cfg.Processors(src)}
	for _, proc := range p.processors {
		if h, ok := proc.(Historian); ok {
			p.history = max(p.history, h.History())
		}
	}
	s.beginRebuild(p)
	if p.history > 0 && logStart > 0 && logStart > start-p.history {
		s.stats.shortHistories.Add(1)
	}
	return p, nil
}

func (s *session) sources(m map[string]map[int32]kgo.Offset) []schemas.Source {
	var all []schemas.Source
	for name, parts := range m {
		for n := range parts {
			all = append(all, s.source(name, n))
		}
	}
	slices.SortFunc(all, func(a, b schemas.Source) int {
		if a.Topic != b.Topic {
			if a.Topic < b.Topic {
				return -1
			}
			return 1
		}
		return int(a.Partition) - int(b.Partition)
	})
	return all
}

func (s *session) source(name string, n int32) schemas.Source {
	t := s.topics[name]
	return schemas.Source{Cluster: t.cluster, Topic: name, TopicID: t.uuid, Partition: n}
}

func (s *session) revoked(ctx context.Context, m map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.membership(); err != nil && !s.closing && len(s.parts) > 0 {
		s.replaced(err)
		return
	}
	sources := s.forget(m)
	if s.closing || len(sources) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.RebalanceTimeout/3)
	defer cancel()
	faults.Point(faults.WorkerRevoke)
	if err := s.cfg.Sink.Revoke(ctx, sources); err != nil {
		s.fail(fmt.Errorf("revoke %v: %w", sources, err))
	}
	faults.Point(faults.WorkerRevoked)
}

func (s *session) lost(m map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sources := s.forget(m); !s.closing && len(sources) > 0 {
		s.cfg.Sink.Lost(sources)
	}
}

// forget takes partitions out of the session and names those it held.
func (s *session) forget(m map[string][]int32) []schemas.Source {
	var gone []schemas.Source
	for name, parts := range m {
		for _, n := range parts {
			if p := s.parts[partitionKey{name, n}]; p != nil {
				gone = append(gone, p.src)
				delete(s.parts, p.key())
			}
		}
	}
	s.countRebuilds()
	return gone
}

func (s *session) loseAll() {
	var gone []schemas.Source
	for k, p := range s.parts {
		gone = append(gone, p.src)
		delete(s.parts, k)
	}
	s.countRebuilds()
	if len(gone) > 0 {
		s.cfg.Sink.Lost(gone)
	}
}
