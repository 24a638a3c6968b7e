package lake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake/objects"
)

// ErrLostRecords says that topic `chunks` does not hold the table's position any more, or not yet: records were deleted
// before they were committed, or the broker lost its end.
var ErrLostRecords = errors.New("records of topic chunks that the table does not have are gone")

const (
	// defaultBatch is how many records one commit takes at most; a committer that is behind makes large commits.
	defaultBatch = 1000
	// retryFirst and retryMost bound the waits between tries after an error that is not final.
	retryFirst = 200 * time.Millisecond
	retryMost  = 10 * time.Second
	// showTimeout ends the commit of the group's offset, which nothing depends on.
	showTimeout = 5 * time.Second
)

// RunConfig says what a running committer consumes.
type RunConfig struct {
	Client []kgo.Opt // how to reach the brokers: seeds, TLS, client id
	Topic  string    // `chunks`: one partition
	Group  string    // consumer group, for ownership of that partition only
	Batch  int       // most records in one commit, 0 means 1000
	// SessionTimeout is how long it may be silent before another takes its partition, 0 means 45 s. Two at once harm
	// nothing; that nobody commits meanwhile is what it costs.
	SessionTimeout time.Duration

	Log *slog.Logger // nil means none
	// OnCommit, if set, is called after every commit, by the goroutine that runs.
	OnCommit func(Progress)
	// OnOwn, if set, is called when the partition comes and goes: one committer of the group has it, or none.
	OnOwn func(bool)
	// OnRetry, if set, is called with every error after which the committer tries again, by any goroutine.
	OnRetry func(error)
}

// Progress is what OnCommit is told.
type Progress struct {
	Committed
	Next   int64     // next offset of `chunks` to look at
	Lag    int64     // offsets from there to the last stable one, as of the last fetch
	Oldest time.Time // when the first record of the commit reached Kafka
}

// runner is a running committer. Its partition comes and goes with the group's rebalances; what it was working on when
// the partition goes is finished or dropped before the rebalance goes on.
type runner struct {
	cfg       RunConfig
	table     *Table
	committer *Committer
	client    *kgo.Client
	fail      context.CancelCauseFunc // ends the loop, for errors found outside it

	mu    sync.Mutex // held while a commit is tried; a rebalance waits for it
	owned bool       // whether the partition is ours; guarded by mu
}

// Run commits checkpoints until ctx ends (then it returns nil, having left the group) or until an error that IsFinal.
// Any number may run in one group: one of them owns the partition. It starts at the table's position, whatever the
// group's offset says, once the store has shown that it honours conditional writes, and commits the group's offset afterwards, for tools that show lag.
func Run(ctx context.Context, t *Table, cfg RunConfig) error {
	if cfg.Batch == 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &runner{cfg: cfg, table: t, fail: fail}
	if err := r.probe(running); err != nil {
		return stopped(ctx, err)
	}
	if err := r.open(running); err != nil {
		return stopped(ctx, err)
	}
	defer r.client.CloseAllowingRebalance()
	err := r.loop(running)
	if cause := context.Cause(running); IsFinal(cause) {
		err = cause
	}
	return stopped(ctx, err)
}

// stopped makes nothing of an error that is only the end of ctx.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && !IsFinal(err) {
		return nil
	}
	return err
}

// probe makes sure that the store honours conditional writes, on which it rests that there is one winner a version. A store
// that is away is waited for.
func (r *runner) probe(ctx context.Context) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := r.table.store.Probe(ctx)
		if err == nil || errors.Is(err, objects.ErrUnfit) {
			return err
		}
		r.retrying(fmt.Errorf("committer: %w", err))
		if err = pause(ctx, wait); err != nil {
			return err
		}
	}
}

func (r *runner) open(ctx context.Context) (err error) {
	id, err := IdentifyTopic(ctx, r.cfg.Client, r.cfg.Topic)
	if err != nil {
		return err
	}
	r.committer = NewCommitter(r.table, id.Cluster, id.Topic, id.TopicID)
	lost := func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
		if len(m[r.cfg.Topic]) > 0 { // a rebalance that takes nothing is told too
			r.own(false)
		}
	}
	opts := append([]kgo.Opt{}, r.cfg.Client...)
	opts = append(opts,
		kgo.ConsumerGroup(r.cfg.Group), kgo.ConsumeTopics(r.cfg.Topic), kgo.DisableAutoCommit(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.KeepControlRecords(), // markers move the offset that is shown to the end, so that lag shows as 0
		kgo.AdjustFetchOffsetsFn(r.startAt),
		kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			if len(m[r.cfg.Topic]) > 0 {
				r.own(true)
			}
		}),
	)
	if d := r.cfg.SessionTimeout; d > 0 {
		opts = append(opts, kgo.SessionTimeout(d), kgo.HeartbeatInterval(d/15))
	}
	if r.client, err = kgo.NewClient(opts...); err != nil {
		return fmt.Errorf("committer: open Kafka client: %w", err)
	}
	return nil
}

func (r *runner) own(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owned = yes
	if r.cfg.OnOwn != nil {
		r.cfg.OnOwn(yes)
	}
}

// startAt makes the table's position the place to read from. A new table starts at 0: should the topic
// have lost its beginning, that is an error rather than a silent reset.
func (r *runner) startAt(ctx context.Context, m map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	v, err := r.table.Load(ctx)
	if err == nil {
		_, err = r.committer.position(v)
	}
	if err != nil {
		err = fmt.Errorf("committer: find where to start: %w", err)
		if IsFinal(err) {
			r.fail(err)
		} else {
			r.retrying(err)
		}
		return nil, err
	}
	for p := range m[r.cfg.Topic] {
		m[r.cfg.Topic][p] = kgo.NewOffset().At(v.Position.Chunks.Next).WithEpoch(-1)
	}
	r.cfg.Log.Info("committer owns topic", "topic", r.cfg.Topic, "from", v.Position.Chunks.Next, "version", v.N)
	return m, nil
}

func (r *runner) loop(ctx context.Context) error {
	for {
		fetches := r.client.PollRecords(ctx, r.cfg.Batch)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return ctx.Err()
		}
		if err := r.fetchErrors(ctx, fetches); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		faults.Point(faults.CommitterPolled)
		if err := r.commit(ctx, fetches); err != nil {
			return err
		}
	}
}

// fetchErrors sorts errors of a poll into those that end the run and those that pass.
func (r *runner) fetchErrors(ctx context.Context, fetches kgo.Fetches) error {
	var passing error
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("committer: %s/%d: %w; `coldstream lake accept-gap --chunks` records the loss and goes on: %w", e.Topic, e.Partition, ErrLostRecords, e.Err)
		}
		if errors.Is(e.Err, kerr.UnknownTopicID) {
			if err := r.sameTopic(ctx); err != nil {
				return err
			}
		}
		passing = errors.Join(passing, fmt.Errorf("committer: fetch %s/%d: %w", e.Topic, e.Partition, e.Err))
	}
	if passing == nil {
		return nil
	}
	r.retrying(passing)
	return pause(ctx, retryFirst)
}

// sameTopic is an error if the topic was deleted and made again: the client would ask for the old one for ever.
func (r *runner) sameTopic(ctx context.Context) error {
	id, err := IdentifyTopic(ctx, r.cfg.Client, r.cfg.Topic)
	if err != nil || id.TopicID == r.committer.chunks.TopicID {
		return nil //nolint:nilerr // it may be made again yet
	}
	return fmt.Errorf("committer: topic %s has id %s, it had %s: it was deleted and made again: `coldstream lake adopt-topic --topic %s` takes the new one: %w",
		r.cfg.Topic, id.TopicID, r.committer.chunks.TopicID, r.cfg.Topic, ErrForeign)
}

// commit takes what was polled into the table, however long that takes, unless the partition goes.
func (r *runner) commit(ctx context.Context, fetches kgo.Fetches) error {
	var records []Record
	var next int64
	fetches.EachRecord(func(rec *kgo.Record) {
		next = rec.Offset + 1
		if !rec.Attrs.IsControl() {
			records = append(records, Record{Offset: rec.Offset, Value: rec.Value})
		}
	})
	if len(records) == 0 {
		r.show(ctx, next)
		return nil
	}
	wait := retryFirst
	for {
		done, owned, err := r.try(ctx, records)
		if !owned {
			return nil
		}
		if err == nil {
			r.report(ctx, fetches, done, next)
			return nil
		}
		err = fmt.Errorf("committer: %w", err)
		if IsFinal(err) || ctx.Err() != nil {
			return err
		}
		r.retrying(err)
		if err = pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, retryMost)
	}
}

func (r *runner) try(ctx context.Context, records []Record) (done Committed, owned bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.owned {
		return Committed{}, false, nil
	}
	done, err = r.committer.Commit(ctx, records)
	return done, true, err
}

func (r *runner) report(ctx context.Context, fetches kgo.Fetches, done Committed, next int64) {
	p := Progress{Committed: done, Next: next}
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		p.Lag = max(0, f.LastStableOffset-next)
		if len(f.Records) > 0 {
			p.Oldest = f.Records[0].Timestamp
		}
	})
	if done.Version.HintErr != nil {
		r.cfg.Log.Warn("version hint lags", "version", done.Version.N, "error", done.Version.HintErr)
	}
	faults.Point(faults.CommitterHinted)
	r.show(ctx, next)
	faults.Point(faults.CommitterShown)
	if r.cfg.OnCommit != nil {
		r.cfg.OnCommit(p)
	}
}

// show commits the group's offset. Only tools look at it: an error is made good by the next one.
func (r *runner) show(ctx context.Context, next int64) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), showTimeout)
	defer stop()
	r.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{r.cfg.Topic: {0: {Epoch: -1, Offset: next}}}, nil)
}

func (r *runner) retrying(err error) {
	r.cfg.Log.Warn("committer tries again", "error", err)
	if r.cfg.OnRetry != nil {
		r.cfg.OnRetry(err)
	}
}

// IdentifyTopic asks the brokers for the ids of their cluster and of a topic.
func IdentifyTopic(ctx context.Context, client []kgo.Opt, topic string) (Source, error) {
	cl, err := kgo.NewClient(client...)
	if err != nil {
		return Source{}, fmt.Errorf("identify topic %s: %w", topic, err)
	}
	defer cl.Close()
	m, err := kadm.NewClient(cl).Metadata(ctx, topic)
	if err != nil {
		return Source{}, fmt.Errorf("identify topic %s: %w", topic, err)
	}
	d, ok := m.Topics[topic]
	if ok && d.Err != nil {
		return Source{}, fmt.Errorf("identify topic %s: %w", topic, d.Err)
	}
	if !ok || m.Cluster == "" || d.ID == (kadm.TopicID{}) {
		return Source{}, fmt.Errorf("identify topic %s: the broker gives no cluster id or topic id", topic)
	}
	return Source{Cluster: m.Cluster, Topic: topic, TopicID: uuid.UUID(d.ID).String()}, nil
}
