package lake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// loss is a stage whose source is a real topic, which can lose its beginning.
type loss struct {
	*stage
	src   lake.Source
	cold  string // group of the workers
	admin *kadm.Client
}

func newLoss(t *testing.T, partitions int32) *loss {
	t.Helper()
	b := emptyBed(t)
	must[*lake.Version](t)(b.Create(t.Context()))
	l := &loss{
		stage: &stage{bed: b, topic: testkit.Topic(t, 1, nil), group: testkit.Name(t)},
		cold:  testkit.Name(t), admin: kadm.NewClient(testkit.KafkaClient(t)),
	}
	l.src.Topic = testkit.Topic(t, partitions, nil)
	l.identify(t)
	must[int](t)(b.EnsureSource(t.Context(), l.src))
	return l
}

func (l *loss) client(t *testing.T) []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}
}

func (l *loss) identify(t *testing.T) {
	t.Helper()
	l.src = must[lake.Source](t)(lake.IdentifyTopic(t.Context(), l.client(t), l.src.Topic))
}

// fill writes records to a partition of the source.
func (l *loss) fill(t *testing.T, partition int32, n int) {
	t.Helper()
	cl := testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for range n {
		r := kgo.Record{Topic: l.src.Topic, Partition: partition, Value: []byte("x")}
		if err := cl.ProduceSync(t.Context(), &r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// cut deletes the beginning of a partition.
func (l *loss) cut(t *testing.T, topic string, partition int32, before int64) {
	t.Helper()
	var o kadm.Offsets
	o.AddOffset(topic, partition, before, -1)
	done, err := l.admin.DeleteRecords(t.Context(), o)
	if err = errors.Join(err, done.Error()); err != nil {
		t.Fatal(err)
	}
}

// worker announces a checkpoint and commits the group's offsets, as a worker does in one transaction.
func (l *loss) worker(t *testing.T, id string, ranges ...lake.SourceRange) {
	t.Helper()
	c := l.checkpointOf(t, id, ranges...)
	var o kadm.Offsets
	for i := range c.Sources {
		r := &c.Sources[i]
		r.Cluster, r.Topic, r.TopicID = l.src.Cluster, l.src.Topic, l.src.TopicID
		o.AddOffset(r.Topic, r.Partition, r.Next, -1)
	}
	l.announce(t, kgo.TryCommit, c)
	fresh := kadm.NewClient(testkit.KafkaClient(t)) // one that knows the topic's present id
	if err := fresh.CommitAllOffsets(t.Context(), l.cold, o); err != nil {
		t.Fatal(err)
	}
}

func (l *loss) next(t *testing.T, partition int32) int64 {
	t.Helper()
	v := must[*lake.Version](t)(l.again(t, nil).Load(t.Context()))
	next, ok := v.Position.Next(l.src.Cluster, l.src.TopicID, partition)
	if !ok {
		return -1
	}
	return next
}

// committed runs a committer until the position of a partition is reached.
func (l *loss) committed(t *testing.T, partition int32, next int64) {
	t.Helper()
	stop := l.run(t, l.again(t, nil), l.config(t))
	testkit.Eventually(t, soon, func() error {
		if got := l.next(t, partition); got != next {
			return fmt.Errorf("position %d, want %d", got, next)
		}
		return nil
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func (l *loss) request(t *testing.T) lake.GapRequest {
	return lake.GapRequest{
		Client: l.client(t), Chunks: l.topic, Group: l.cold, Topic: l.src.Topic, Partition: lake.AllPartitions, By: "me@here",
	}
}

func span(partition int32, from, next int64) lake.SourceRange {
	return lake.SourceRange{Partition: partition, From: from, Next: next, CompleteMs: next}
}

// TestAcceptGapAfterRetention: the log lost what one of two partitions had not archived.
func TestAcceptGapAfterRetention(t *testing.T) {
	l := newLoss(t, 2)
	l.fill(t, 0, 30)
	l.fill(t, 1, 30)
	l.worker(t, "a", span(0, 0, 10), span(1, 0, 10))
	req := l.request(t)
	_, err := l.AcceptGap(t.Context(), req)
	wantErr(t, "nothing is missing", err, lake.ErrNothing)

	l.cut(t, l.src.Topic, 1, 25)
	_, err = l.AcceptGap(t.Context(), req)
	wantErr(t, "a checkpoint below the gap is not committed", err, lake.ErrPending)
	l.committed(t, 1, 10)

	for _, c := range []struct {
		partition int32
		to        int64
		want      error
	}{{1, 10, lake.ErrOffset}, {1, 9, lake.ErrOffset}, {1, 26, lake.ErrOffset}, {0, 15, lake.ErrNothing}, {0, 0, lake.ErrNothing}, {7, 0, lake.ErrNothing}} {
		r := req
		r.Partition, r.To = c.partition, c.to
		_, err := l.AcceptGap(t.Context(), r)
		wantErr(t, fmt.Sprintf("partition %d to %d", c.partition, c.to), err, c.want)
	}

	dry := req
	dry.DryRun = true
	before := must[*lake.Version](t)(l.Load(t.Context()))
	if d := must[lake.Decision](t)(l.AcceptGap(t.Context(), dry)); d.Lost != 15 || len(d.Ranges) != 1 {
		t.Errorf("dry run: %+v", d)
	}
	if v := must[*lake.Version](t)(l.again(t, nil).Load(t.Context())); v.N != before.N {
		t.Errorf("a dry run made v%d of v%d", v.N, before.N)
	}

	part := req
	part.Partition, part.To = 1, 20
	must[lake.Decision](t)(l.AcceptGap(t.Context(), part))
	must[lake.Decision](t)(l.AcceptGap(t.Context(), req))
	v := must[*lake.Version](t)(l.again(t, nil).Load(t.Context()))
	gaps := must[lake.Gaps](t)(v.Gaps())
	want := lake.GapRange{Source: 0, Topic: l.src.Topic, Partition: 1, From: 20, To: 25}
	if len(gaps.Decisions) != 2 || gaps.Lost != 15 || gaps.Decisions[1].Ranges[0] != want || gaps.Decisions[1].By != "me@here" || gaps.Decisions[0].Lost != 10 {
		t.Errorf("recorded: %+v", gaps)
	}
	var own lake.Decision
	summary := v.Metadata.CurrentSnapshot().Summary.Properties
	if err := json.Unmarshal([]byte(summary[lake.PropertyGaps]), &own); err != nil || own.Lost != 5 {
		t.Errorf("summary: %v, %v", summary, err)
	}
	if l.next(t, 0) != 10 || l.next(t, 1) != 25 {
		t.Errorf("positions %d, %d", l.next(t, 0), l.next(t, 1))
	}
	l.worker(t, "b", span(0, 10, 30), span(1, 25, 30))
	l.committed(t, 1, 30)
}

// TestAcceptGapTakesTheCheckpointBehindIt: workers were moved forward, and the committer stopped at their checkpoint.
func TestAcceptGapTakesTheCheckpointBehindIt(t *testing.T) {
	l := newLoss(t, 1)
	l.fill(t, 0, 40)
	l.worker(t, "a", span(0, 0, 10))
	l.committed(t, 0, 10)
	l.worker(t, "b", span(0, 15, 20))
	l.worker(t, "c", span(0, 20, 30))
	wantErr(t, "the committer", l.ends(t, l.config(t)), lake.ErrGap)
	_, err := l.PositionAtEnd(t.Context(), l.client(t), l.topic)
	wantErr(t, "a worker", err, lake.ErrGap)

	req := l.request(t)
	req.Partition, req.To = 0, 16
	_, err = l.AcceptGap(t.Context(), req)
	wantErr(t, "past the start of the checkpoint", err, lake.ErrOffset)
	req.To = 0
	if d := must[lake.Decision](t)(l.AcceptGap(t.Context(), req)); d.Lost != 5 || d.Ranges[0].To != 15 {
		t.Errorf("accepted: %+v", d)
	}
	l.committed(t, 0, 30)
	if got := rows(t, l.again(t, nil)); got != 25 {
		t.Errorf("%d rows", got)
	}
}

// TestAcceptGapUpToTheGroupsOffset: workers were moved forward, and have not made a checkpoint yet.
func TestAcceptGapUpToTheGroupsOffset(t *testing.T) {
	l := newLoss(t, 1)
	l.fill(t, 0, 40)
	l.worker(t, "a", span(0, 0, 10))
	l.committed(t, 0, 10)
	var o kadm.Offsets
	o.AddOffset(l.src.Topic, 0, 22, -1)
	if err := l.admin.CommitAllOffsets(t.Context(), l.cold, o); err != nil {
		t.Fatal(err)
	}
	if d := must[lake.Decision](t)(l.AcceptGap(t.Context(), l.request(t))); d.Lost != 12 {
		t.Errorf("accepted: %+v", d)
	}
	if got := l.next(t, 0); got != 22 {
		t.Errorf("position %d", got)
	}
}

// TestAcceptGapOfAnUnknownPartition: the group has filled another table, and this one is to go on from there.
func TestAcceptGapOfAnUnknownPartition(t *testing.T) {
	l := newLoss(t, 2)
	l.fill(t, 0, 40)
	l.cut(t, l.src.Topic, 0, 5)
	var o kadm.Offsets
	o.AddOffset(l.src.Topic, 0, 22, -1)
	if err := l.admin.CommitAllOffsets(t.Context(), l.cold, o); err != nil {
		t.Fatal(err)
	}
	if d := must[lake.Decision](t)(l.AcceptGap(t.Context(), l.request(t))); d.Lost != 17 || d.Ranges[0].From != 5 {
		t.Errorf("accepted: %+v", d)
	}
	if a, b := l.next(t, 0), l.next(t, 1); a != 22 || b != -1 {
		t.Errorf("positions %d, %d", a, b)
	}
	l.worker(t, "a", span(0, 22, 30))
	l.committed(t, 0, 30)
}

// TestAcceptGapOfLostChunks: topic chunks lost two checkpoints that were not committed; one partition is in a later one.
func TestAcceptGapOfLostChunks(t *testing.T) {
	l := newLoss(t, 3)
	for p := range int32(3) {
		l.fill(t, p, 40)
	}
	l.worker(t, "a", span(0, 0, 10), span(1, 0, 10))
	l.committed(t, 0, 10)
	lost := l.request(t)
	lost.LostChunks = true
	_, err := l.AcceptGap(t.Context(), lost)
	wantErr(t, "nothing of chunks is missing", err, lake.ErrNothing)

	l.worker(t, "b", span(0, 10, 20), span(1, 10, 25))
	l.worker(t, "c", span(0, 20, 22), span(2, 0, 7))
	cut := must[kadm.ListedOffsets](t)(l.admin.ListEndOffsets(t.Context(), l.topic))
	end, _ := cut.Lookup(l.topic, 0)
	l.worker(t, "d", span(0, 22, 30))
	l.cut(t, l.topic, 0, end.Offset)
	wantErr(t, "the committer", l.ends(t, l.config(t)), lake.ErrLostRecords)
	_, err = l.AcceptGap(t.Context(), l.request(t))
	wantErr(t, "without --chunks", err, lake.ErrLostRecords)

	d := must[lake.Decision](t)(l.AcceptGap(t.Context(), lost))
	if d.Kind != lake.KindChunks || d.ChunksTo != end.Offset || d.Lost != 12+15+7 || len(d.Ranges) != 3 {
		t.Errorf("accepted: %+v", d)
	}
	if a, b, c := l.next(t, 0), l.next(t, 1), l.next(t, 2); a != 22 || b != 25 || c != 7 {
		t.Errorf("positions %d, %d, %d", a, b, c)
	}
	l.committed(t, 0, 30)
	l.worker(t, "e", span(1, 25, 30), span(2, 7, 9))
	l.committed(t, 2, 9)
}

func TestGapsAreBounded(t *testing.T) {
	l := newLoss(t, 1)
	l.fill(t, 0, 300)
	l.worker(t, "a", span(0, 0, 1))
	l.committed(t, 0, 1)
	l.cut(t, l.src.Topic, 0, 290)
	req := l.request(t)
	req.Partition = 0
	for to := int64(2); to <= 262; to++ {
		req.To = to
		must[lake.Decision](t)(l.AcceptGap(t.Context(), req))
	}
	v := must[*lake.Version](t)(l.Load(t.Context()))
	g := must[lake.Gaps](t)(v.Gaps())
	if len(g.Decisions) != 256 || g.Forgotten != 5 || g.Lost != 261 || g.Decisions[255].Ranges[0].To != 262 {
		t.Errorf("%d decisions, %d forgotten, %d lost", len(g.Decisions), g.Forgotten, g.Lost)
	}
}
