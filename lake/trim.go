package lake

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// keepChunks is how many offsets of `chunks` behind the position stay at least.
const keepChunks = 100

// Trim is what TrimChunks did, or would do.
type Trim struct {
	Topic string `json:"topic"`
	From  int64  `json:"from"` // where the log began
	To    int64  `json:"to"`   // where it begins now; From where nothing was to be deleted
}

// TrimChunks deletes records of topic `chunks` that no version which can still be read has before it, whose time is before
// a given one, and that lie at least 100 offsets behind the position. Nothing else deletes from that topic.
func (t *Table) TrimChunks(ctx context.Context, client []kgo.Opt, chunks string, before time.Time, dryRun bool) (Trim, error) {
	cut := Trim{Topic: chunks}
	err := t.trim(ctx, client, before, dryRun, &cut)
	if err != nil {
		return cut, fmt.Errorf("trim topic %s: %w", chunks, err)
	}
	return cut, nil
}

func (t *Table) trim(ctx context.Context, client []kgo.Opt, before time.Time, dryRun bool, cut *Trim) error {
	next, err := t.oldestNext(ctx, client, cut.Topic)
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(client...)
	if err != nil {
		return err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	logs, err := logsOf(ctx, admin, cut.Topic)
	if err != nil {
		return err
	}
	cut.From, cut.To = logs[0].start, logs[0].start
	young, err := admin.ListOffsetsAfterMilli(ctx, before.UnixMilli(), cut.Topic) // the end where all are older
	if err == nil {
		err = young.Error()
	}
	if err != nil {
		return err
	}
	first, _ := young.Lookup(cut.Topic, 0)
	to := min(next, first.Offset)
	if to <= cut.From {
		return nil
	}
	cut.To = to
	if dryRun {
		return nil
	}
	var at kadm.Offsets
	at.AddOffset(cut.Topic, 0, to, -1)
	done, err := admin.DeleteRecords(ctx, at)
	if err == nil {
		err = done.Error()
	}
	return err
}

// oldestNext gives the offset of `chunks` from which the oldest readable version goes on, and never less than keepChunks
// behind the newest one's.
func (t *Table) oldestNext(ctx context.Context, client []kgo.Opt, chunks string) (int64, error) {
	id, err := IdentifyTopic(ctx, client, chunks)
	if err != nil {
		return 0, err
	}
	newest, err := t.Load(ctx)
	if err != nil {
		return 0, err
	}
	if _, err = NewCommitter(t, id.Cluster, id.Topic, id.TopicID).position(newest); err != nil {
		return 0, err
	}
	all, err := t.versions(ctx)
	if err != nil {
		return 0, err
	}
	var e Expiry
	e.old(all, time.Time{})
	oldest, err := t.read(ctx, e.Oldest)
	if err != nil {
		return 0, err
	}
	if oldest.Position.Chunks.TopicID != id.TopicID { // it followed a topic that was replaced
		return 0, nil
	}
	return min(oldest.Position.Chunks.Next, newest.Position.Chunks.Next-keepChunks), nil
}
