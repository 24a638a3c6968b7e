package lake_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
)

func (l *loss) adopt(t *testing.T, topic string) (lake.Decision, error) {
	return l.AdoptTopic(t.Context(), lake.AdoptRequest{Client: l.client(t), Chunks: l.topic, Group: l.cold, Topic: topic, By: "me@here"})
}

func TestAdoptTopicOfEvents(t *testing.T) {
	l := newLoss(t, 2)
	l.fill(t, 0, 40)
	l.worker(t, "a", span(0, 0, 10))
	l.committed(t, 0, 10)
	_, err := l.adopt(t, l.src.Topic)
	wantErr(t, "a topic that is known", err, lake.ErrNothing)

	old := l.src
	l.worker(t, "b", span(0, 10, 20))
	testkit.RemakeTopic(t, l.admin, l.src.Topic, 2)
	l.identify(t)
	if l.src.TopicID == old.TopicID {
		t.Fatal("the topic has its old id")
	}
	_, err = l.EnsureSource(t.Context(), l.src)
	wantErr(t, "a worker", err, lake.ErrForeign)
	_, err = l.AcceptGap(t.Context(), l.request(t))
	wantErr(t, "accept gap", err, lake.ErrForeign)
	_, err = l.adopt(t, l.src.Topic)
	wantErr(t, "a checkpoint of the old one is not committed", err, lake.ErrPending)
	now := l.src
	l.src = old
	l.committed(t, 0, 20)
	l.src = now

	d := must[lake.Decision](t)(l.adopt(t, l.src.Topic))
	if d.Kind != lake.KindTopic || d.OldID != old.TopicID || d.NewID != now.TopicID {
		t.Errorf("adopted: %+v", d)
	}
	tab := l.again(t, nil)
	if n := must[int](t)(tab.EnsureSource(t.Context(), now)); n != 1 {
		t.Errorf("the new one has number %d", n)
	}
	if n := must[int](t)(tab.EnsureSource(t.Context(), old)); n != 0 {
		t.Errorf("the old one has number %d", n)
	}
	offsets := must[kadm.OffsetResponses](t)(l.admin.FetchOffsets(t.Context(), l.cold))
	if o, ok := offsets.Lookup(now.Topic, 0); ok && o.At >= 0 {
		t.Errorf("the group still stands at %d of the old topic", o.At)
	}
	l.fill(t, 0, 5)
	l.worker(t, "c", span(0, 0, 5))
	l.committed(t, 0, 5)
	v := must[*lake.Version](t)(l.again(t, nil).Load(t.Context()))
	if next, _ := v.Position.Next(old.Cluster, old.TopicID, 0); next != 20 || v.Position.CompleteMs != 5 {
		t.Errorf("position of the old one %d, complete until %d", next, v.Position.CompleteMs)
	}
	if g := must[lake.Gaps](t)(v.Gaps()); len(g.Decisions) != 1 || g.Decisions[0].By != "me@here" {
		t.Errorf("recorded: %+v", g)
	}
	if got := rows(t, l.again(t, nil)); got != 25 {
		t.Errorf("%d rows", got)
	}
}

func TestAdoptTopicChunks(t *testing.T) {
	l := newLoss(t, 1)
	l.fill(t, 0, 40)
	_, err := l.adopt(t, l.topic)
	wantErr(t, "a table that follows none", err, lake.ErrNothing)
	l.worker(t, "a", span(0, 0, 10))
	l.committed(t, 0, 10)
	_, err = l.adopt(t, l.topic)
	wantErr(t, "the topic that it follows", err, lake.ErrNothing)

	l.worker(t, "lost", span(0, 10, 20))
	testkit.RemakeTopic(t, l.admin, l.topic, 1)
	wantErr(t, "the committer", l.ends(t, l.config(t)), lake.ErrForeign)
	_, err = l.AcceptGap(t.Context(), l.request(t))
	wantErr(t, "accept gap", err, lake.ErrForeign)
	must[lake.Decision](t)(l.adopt(t, l.topic))
	if d := must[lake.Decision](t)(l.AcceptGap(t.Context(), l.request(t))); d.Lost != 10 {
		t.Errorf("what the old one had: %+v", d)
	}
	l.worker(t, "b", span(0, 20, 30))
	l.committed(t, 0, 30)
}

func TestAdoptTopicChunksThatOverlaps(t *testing.T) {
	l := newLoss(t, 1)
	l.fill(t, 0, 40)
	l.worker(t, "a", span(0, 0, 10))
	l.committed(t, 0, 10)
	testkit.RemakeTopic(t, l.admin, l.topic, 1)
	l.worker(t, "b", span(0, 5, 20))
	_, err := l.adopt(t, l.topic)
	wantErr(t, "a checkpoint that is partly in the table", err, lake.ErrOverlap)
}
