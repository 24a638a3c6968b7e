package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/lake"
)

// readChunks notes what topic `chunks` names from a position on: by records that are committed, that are open, and that were
// aborted, because which of the latter two a record is may not be known yet.
func (s *sweep) readChunks(ctx context.Context, from lake.ChunksPosition) error {
	s.announced = map[string]bool{}
	id, err := lake.IdentifyTopic(ctx, s.cfg.Client, s.cfg.Chunks)
	if err != nil {
		return err
	}
	if from.TopicID != "" && (from.TopicID != id.TopicID || from.Cluster != id.Cluster) {
		return fmt.Errorf("the table follows topic %s (id %s) of cluster %s, this one has id %s in cluster %s: %w",
			from.Topic, from.TopicID, from.Cluster, id.TopicID, id.Cluster, lake.ErrForeign)
	}
	start, stable, end, err := s.bounds(ctx)
	if err != nil {
		return err
	}
	if from.Next < start || from.Next > end {
		return fmt.Errorf("topic %s holds offsets %d to %d, the table's position is %d: %w", s.cfg.Chunks, start, end, from.Next, lake.ErrLostRecords)
	}
	if err := s.lag(ctx, from.Next, stable); err != nil {
		return err
	}
	return s.each(ctx, kgo.ReadUncommitted(), from.Next, end, func(r *kgo.Record) error {
		cp, err := s.cfg.Table.DecodeCheckpoint(ctx, r.Value)
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err)
		}
		for i := range cp.Files {
			s.announced[s.cfg.Table.Key(cp.Files[i].Path)] = true
		}
		if cp.FilesObject != nil {
			s.announced[s.cfg.Table.Key(cp.FilesObject.Path)] = true
		}
		return nil
	})
}

// lag refuses to go on where the committer is too far behind.
func (s *sweep) lag(ctx context.Context, from, stable int64) error {
	oldest := time.Time{}
	err := s.each(ctx, kgo.ReadCommitted(), from, stable, func(r *kgo.Record) error {
		if oldest.IsZero() || r.Timestamp.Before(oldest) {
			oldest = r.Timestamp
		}
		return nil
	})
	if err != nil || oldest.IsZero() {
		return err
	}
	if age := s.now.Sub(oldest); age > s.cfg.Margin/4 {
		return fmt.Errorf("a checkpoint has waited for %v: %w", age.Round(time.Second), ErrBehind)
	}
	return nil
}

// bounds gives the start of the topic's log, its last stable offset and its end.
func (s *sweep) bounds(ctx context.Context) (start, stable, end int64, err error) {
	cl, err := kgo.NewClient(s.cfg.Client...)
	if err != nil {
		return 0, 0, 0, err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	for _, x := range []struct {
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
		into *int64
	}{{admin.ListStartOffsets, &start}, {admin.ListCommittedOffsets, &stable}, {admin.ListEndOffsets, &end}} {
		offsets, err := x.list(ctx, s.cfg.Chunks)
		if err == nil {
			err = offsets.Error()
		}
		if err != nil {
			return 0, 0, 0, fmt.Errorf("offsets of topic %s: %w", s.cfg.Chunks, err)
		}
		o, _ := offsets.Lookup(s.cfg.Chunks, 0)
		*x.into = o.Offset
	}
	return start, stable, end, nil
}

// each gives the records of [from, to), read with an isolation level.
func (s *sweep) each(ctx context.Context, level kgo.IsolationLevel, from, to int64, f func(*kgo.Record) error) error {
	if from >= to {
		return nil
	}
	cl, err := kgo.NewClient(append(append([]kgo.Opt{}, s.cfg.Client...), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return kafkalog.ReadSpans(ctx, cl, s.cfg.Chunks, []kafkalog.Span{{From: from, Next: to}}, f)
}
