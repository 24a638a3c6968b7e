package lake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const soon = 20 * time.Second

// stage is a table and a topic `chunks` for it, on a broker.
type stage struct {
	*bed
	topic string
	group string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return &stage{bed: newBed(t), topic: testkit.Topic(t, 1, nil), group: testkit.Name(t)}
}

func (s *stage) config(t *testing.T) lake.RunConfig {
	return lake.RunConfig{Client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, Topic: s.topic, Group: s.group}
}

// run starts a committer and gives the function that stops it and tells how it ended.
func (s *stage) run(t *testing.T, tab *lake.Table, cfg lake.RunConfig) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- lake.Run(ctx, tab, cfg) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}

// ends waits for a committer that stops by itself.
func (s *stage) ends(t *testing.T, cfg lake.RunConfig) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	err := lake.Run(ctx, s.again(t, nil), cfg)
	if ctx.Err() != nil {
		t.Fatal("the committer did not stop")
	}
	return err
}

// announce writes checkpoints in one transaction, and commits or aborts it.
func (s *stage) announce(t *testing.T, how kgo.TransactionEndTry, cps ...lake.Checkpoint) {
	t.Helper()
	cl := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(s.topic))
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, c := range cps {
		r := kgo.Record{Value: must[[]byte](t)(lake.Encode(c))}
		if err := cl.ProduceSync(t.Context(), &r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) reaches(t *testing.T, next int64) {
	t.Helper()
	tab := s.again(t, nil)
	testkit.Eventually(t, soon, func() error {
		v, err := tab.Load(t.Context())
		if err != nil {
			return err
		}
		if got, _ := v.Position.Next(cluster, topicID, 0); got != next {
			return fmt.Errorf("position %d, want %d", got, next)
		}
		return nil
	})
}

func TestRunCommitsWhatIsCommitted(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	s.announce(t, kgo.TryAbort, s.checkpoint(t, "aborted", 10, 20))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "b", 10, 15))
	seen := make(chan lake.Progress, 10)
	cfg := s.config(t)
	cfg.OnCommit = func(p lake.Progress) { seen <- p }
	stop := s.run(t, s.again(t, nil), cfg)
	s.reaches(t, 15)
	if p := <-seen; p.Files != 2 || p.Rows != 15 || p.Oldest.IsZero() || p.Version.HintErr != nil {
		t.Errorf("progress: %+v", p)
	}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "c", 15, 20))
	s.reaches(t, 20)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	testkit.Eventually(t, soon, func() error { // the marker of the last transaction counts as done too
		ends, err := adm.ListCommittedOffsets(t.Context(), s.topic)
		if err != nil {
			return err
		}
		offsets, err := adm.FetchOffsets(t.Context(), s.group)
		if err != nil {
			return err
		}
		end, _ := ends.Lookup(s.topic, 0)
		if o, ok := offsets.Lookup(s.topic, 0); !ok || o.At != end.Offset {
			return fmt.Errorf("the group shows %d, the log ends at %d", o.At, end.Offset)
		}
		return nil
	})
	if err := stop(); err != nil {
		t.Errorf("the run ended with %v", err)
	}
	if got := rows(t, s.again(t, nil)); got != 20 {
		t.Errorf("%d rows", got)
	}
}

// TestRunGoesOnWhenAnotherCommitterJoins: a rebalance that leaves the partition where it is takes nothing from its owner,
// and one that moves it gives it to the other.
func TestRunGoesOnWhenAnotherCommitterJoins(t *testing.T) {
	s := newStage(t)
	first := s.run(t, s.again(t, nil), s.config(t))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	s.reaches(t, 10)
	second := s.run(t, s.again(t, nil), s.config(t))
	s.members(t, 2)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "b", 10, 20))
	s.reaches(t, 20)
	if err := second(); err != nil {
		t.Errorf("the second run ended with %v", err)
	}
	s.members(t, 1)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "c", 20, 30))
	s.reaches(t, 30)
	if err := first(); err != nil {
		t.Errorf("the first run ended with %v", err)
	}
	if got := rows(t, s.again(t, nil)); got != 30 {
		t.Errorf("%d rows", got)
	}
}

// members waits until the group is stable with so many members.
func (s *stage) members(t *testing.T, want int) {
	t.Helper()
	adm := kadm.NewClient(testkit.KafkaClient(t))
	testkit.Eventually(t, soon, func() error {
		groups, err := adm.DescribeGroups(t.Context(), s.group)
		if err != nil {
			return err
		}
		if g := groups[s.group]; g.State != "Stable" || len(g.Members) != want {
			return fmt.Errorf("group is %s with %d members, want %d", g.State, len(g.Members), want)
		}
		return nil
	})
}

// TestRunStartsAtTheTablesPosition: the group's offset is ahead, as if the commit to the table had been lost.
func TestRunStartsAtTheTablesPosition(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	var off kadm.Offsets
	off.AddOffset(s.topic, 0, 1, -1)
	admin := kadm.NewClient(testkit.KafkaClient(t))
	if err := admin.CommitAllOffsets(t.Context(), s.group, off); err != nil {
		t.Fatal(err)
	}
	s.run(t, s.again(t, nil), s.config(t))
	s.reaches(t, 10)
}

// TestRunTakesOver: two committers in one group; the second goes on when the first leaves, from where the table is.
func TestRunTakesOver(t *testing.T) {
	s := newStage(t)
	first := s.run(t, s.again(t, nil), s.config(t))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	s.reaches(t, 10)
	s.run(t, s.again(t, nil), s.config(t))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "b", 10, 20))
	s.reaches(t, 20)
	if err := first(); err != nil {
		t.Error(err)
	}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "c", 20, 30))
	s.reaches(t, 30)
	if got := rows(t, s.again(t, nil)); got != 30 {
		t.Errorf("%d rows", got)
	}
}

func TestRunStopsAtAGap(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10), s.checkpoint(t, "b", 11, 20))
	err := s.ends(t, s.config(t))
	wantErr(t, "run", err, lake.ErrGap)
	s.wantPosition(t, 10)
}

func TestRunStopsWhereRecordsAreGone(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "b", 10, 20))
	var off kadm.Offsets
	off.AddOffset(s.topic, 0, 2, -1)
	deleted, err := kadm.NewClient(testkit.KafkaClient(t)).DeleteRecords(t.Context(), off)
	if err = errors.Join(err, deleted.Error()); err != nil {
		t.Fatal(err)
	}
	err = s.ends(t, s.config(t))
	wantErr(t, "run", err, lake.ErrLostRecords)
	if !lake.IsFinal(err) {
		t.Errorf("%v is not final", err)
	}
}

func TestRunGoesOnAfterFaults(t *testing.T) {
	s := newStage(t)
	f := &faults{todo: []fault{status(503), lostRequest, lostAnswer}}
	retried := make(chan error, 100)
	cfg := s.config(t)
	cfg.OnRetry = func(err error) { retried <- err }
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	s.run(t, s.again(t, f), cfg)
	s.reaches(t, 10)
	wantErr(t, "what was told", <-retried, lake.ErrUnsettled)
	if got := rows(t, s.again(t, nil)); got != 10 || f.hit != 3 {
		t.Errorf("%d rows, %d faults", got, f.hit)
	}
}

func TestPositionAtEnd(t *testing.T) {
	s := newStage(t)
	client := []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}
	at := func() int64 {
		t.Helper()
		p := must[lake.Position](t)(s.PositionAtEnd(t.Context(), client, s.topic))
		next, _ := p.Next(cluster, topicID, 0)
		return next
	}
	if got := at(); got != 0 {
		t.Errorf("of an empty topic: %d", got)
	}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10), s.checkpoint(t, "b", 10, 20))
	s.announce(t, kgo.TryAbort, s.checkpoint(t, "c", 20, 30))
	if got := at(); got != 20 {
		t.Errorf("ahead of the table, behind what was aborted: %d, want 20", got)
	}
	s.run(t, s.again(t, nil), s.config(t))
	s.reaches(t, 20)
	if got := at(); got != 20 {
		t.Errorf("with the table: %d, want 20", got)
	}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "d", 21, 30))
	_, err := s.PositionAtEnd(t.Context(), client, s.topic)
	wantErr(t, "a gap ahead of the table", err, lake.ErrGap)
}

// TestPositionWaitsForWhatIsOpen: a committed checkpoint is hidden while an older transaction is open. Who started below it
// would announce its rows again.
func TestPositionWaitsForWhatIsOpen(t *testing.T) {
	s := newStage(t)
	hanging := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(s.topic))
	if err := hanging.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	zombie := kgo.Record{Value: must[[]byte](t)(lake.Encode(s.checkpoint(t, "zombie", 0, 5)))}
	if err := hanging.ProduceSync(t.Context(), &zombie).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	client := []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	_, err := s.PositionAtEnd(ctx, client, s.topic)
	wantErr(t, "while a transaction is open", err, context.DeadlineExceeded)
	id, _, pidErr := hanging.ProducerID(t.Context())
	if want := fmt.Sprintf("a transaction of producer %d (transactional id ", id); pidErr != nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %q names no %q (%v)", err, want, pidErr)
	}
	type answer struct {
		p   lake.Position
		err error
	}
	told := make(chan answer, 1)
	go func() {
		p, err := s.PositionAtEnd(t.Context(), client, s.topic)
		told <- answer{p, err}
	}()
	if err := hanging.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	got := <-told
	if next, _ := got.p.Next(cluster, topicID, 0); got.err != nil || next != 10 {
		t.Errorf("position %d, %v; want 10", next, got.err)
	}
}

func TestRunStopsWithoutATable(t *testing.T) {
	s := &stage{bed: emptyBed(t), topic: testkit.Topic(t, 1, nil), group: testkit.Name(t)}
	wantErr(t, "run", s.ends(t, s.config(t)), lake.ErrNoTable)
}

// TestRunStopsAtAnotherTopic: the topic was deleted and made again, or the table belongs to another cluster.
func TestRunStopsAtAnotherTopic(t *testing.T) {
	s := newStage(t)
	must[lake.Committed](t)(s.committer(s.Table).Commit(t.Context(), records(t, 5, s.checkpoint(t, "a", 0, 10))))
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "b", 10, 20))
	wantErr(t, "run", s.ends(t, s.config(t)), lake.ErrForeign)
	s.wantPosition(t, 10)
}

// outage refuses every request while it lasts.
type outage struct{ over atomic.Bool }

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.over.Load() {
		return http.DefaultTransport.RoundTrip(r)
	}
	return nil, errors.New("connection refused")
}

// careless never refuses a write, as a store does that knows no conditions.
type careless struct{}

func (careless) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || a.StatusCode != http.StatusPreconditionFailed {
		return a, err
	}
	a.Body.Close()
	fine := answer(r, http.StatusOK)
	fine.Header.Set("ETag", `"0123456789abcdef"`)
	return fine, nil
}

// TestRunRefusesACarelessStore: on a store that overwrites two committers would take each other's versions, so not even
// one begins.
func TestRunRefusesACarelessStore(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	ctx, stop := context.WithTimeout(t.Context(), soon)
	defer stop()
	err := lake.Run(ctx, s.again(t, careless{}), s.config(t))
	wantErr(t, "run", err, objects.ErrUnfit)
	s.wantPosition(t, 0)
}

// TestRunWaitsForTheStore: the store is away when the committer is given its partition, and comes back.
func TestRunWaitsForTheStore(t *testing.T) {
	s, away := newStage(t), &outage{}
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	retried := make(chan error, 1000)
	cfg := s.config(t)
	cfg.OnRetry = func(err error) { retried <- err }
	stop := s.run(t, s.again(t, away), cfg)
	for range 2 {
		if err := <-retried; lake.IsFinal(err) {
			t.Errorf("%v is final", err)
		}
	}
	away.over.Store(true)
	s.reaches(t, 10)
	if err := stop(); err != nil {
		t.Errorf("the run ended with %v", err)
	}
}

// TestRunStopsWhenItsTopicIsMadeAgain: while the committer runs, and the client would ask for the old topic for ever.
func TestRunStopsWhenItsTopicIsMadeAgain(t *testing.T) {
	s := newStage(t)
	s.announce(t, kgo.TryCommit, s.checkpoint(t, "a", 0, 10))
	ended := make(chan error, 1)
	go func() { ended <- lake.Run(t.Context(), s.again(t, nil), s.config(t)) }()
	s.reaches(t, 10)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	must[kadm.DeleteTopicResponse](t)(adm.DeleteTopic(t.Context(), s.topic))
	testkit.Eventually(t, soon, func() error {
		_, err := adm.CreateTopic(t.Context(), 1, 1, nil, s.topic)
		return err
	})
	select {
	case err := <-ended:
		wantErr(t, "run", err, lake.ErrForeign)
	case <-time.After(soon):
		t.Fatal("the committer did not stop")
	}
	s.wantPosition(t, 10)
}
