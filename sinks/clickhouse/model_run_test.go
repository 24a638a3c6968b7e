package clickhouse_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/sinks/clickhouse"
	"github.com/coldstream/coldstream/sinks/resolver"
)

// lab runs histories on the embedded engine beside the model.
type lab struct {
	*hot
	model    *model
	resolver *resolver.Resolver
	now      time.Time // of the sink's wall clock
	searched int

	mu        sync.Mutex
	published []string
}

// ProduceSync is the resolver's producer: what it publishes goes through the sink like any other record.
func (l *lab) ProduceSync(_ context.Context, records ...*kgo.Record) kgo.ProduceResults {
	l.mu.Lock()
	defer l.mu.Unlock()
	var results kgo.ProduceResults
	for _, r := range records {
		l.published = append(l.published, string(r.Value))
		results = append(results, kgo.ProduceResult{Record: r})
	}
	return results
}

// newLab has its store in so many shards; 1: on one server, without any.
func newLab(t testing.TB, shards int) *lab {
	l := &lab{}
	change := func(c *clickhouse.Config) { c.Now = func() time.Time { return l.now } }
	if shards == 1 {
		l.hot = newHot(t, nil, change)
	} else {
		l.hot = newSharded(t, make([]http.RoundTripper, shards), change)
	}
	return l
}

// reset makes every table empty, for the next history.
func (l *lab) reset() {
	l.t.Helper()
	testkit.Eventually(l.t, 10*time.Second, func() error { // a dead worker's insert may still be on its way
		if n := l.query("SELECT count() FROM system.processes WHERE query_kind = 'Insert'"); n != "0\n" {
			return fmt.Errorf("%s inserts run", n)
		}
		return nil
	})
	for _, table := range []string{"state", "names", "unresolved", "channels", "removals"} {
		l.exec("TRUNCATE TABLE " + table)
	}
	l.model, l.published = newModel(), nil
	l.reopen()
	l.restartResolver()
}

func (l *lab) restartResolver() {
	l.t.Helper()
	r, err := resolver.New(resolver.Config{
		Shards: l.shards, Producer: l, Topic: "events", Retry: time.Hour,
		DeadLetter: func(_ context.Context, letters []schemas.DeadLetter) error {
			l.t.Errorf("dead letters %+v", letters)
			return nil
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.resolver = r
}

// reopen is a new worker: what was written and not committed is lost to it, whatever became of it in ClickHouse.
func (l *lab) reopen() {
	l.t.Helper()
	l.hot.mu.Lock()
	l.next = l.committed
	l.hot.mu.Unlock()
	l.open()
}

// deliver sends documents through decoder and redaction into the sink, and into the model.
func (l *lab) deliver(t rapid.TB, policy uint32, docs ...string) {
	l.write(t, policy, docs...)
	l.flush()
}

func (l *lab) write(t rapid.TB, policy uint32, docs ...string) {
	if len(docs) == 0 {
		return
	}
	b := schemas.GetBatch()
	defer b.Release()
	b.Policy = policy
	decoder := codec.JSON{Epoch: schemas.DiscordEpoch}
	for _, d := range docs {
		if err := decoder.Decode(b, []byte(d), codec.Origin{Time: moments[len(moments)-1].UnixMicro()}); err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		i := b.Len() - 1
		if b.Fields[i].Has(schemas.FieldContent) { // what a policy leaves depends on the policy alone
			b.Content[i] = b.AddText(fmt.Appendf(nil, "%s under %d", b.String(b.Content[i]), policy))
		}
		var r schemas.Row
		b.Row(i, &r)
		l.model.apply(&r, policy, bulkTargets(t, &decoder, b, i))
	}
	l.writeBatch(b)
}

func bulkTargets(t rapid.TB, decoder *codec.JSON, b *schemas.Batch, i int) (targets []bulkTarget) {
	if b.Type[i] != schemas.TypeBulkDeleted {
		return nil
	}
	err := decoder.BulkTargets(b, i, func(text []byte, id int64, known bool) {
		targets = append(targets, bulkTarget{string(text), id, known})
	})
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

// settle lets the resolver look once and takes in what it publishes, which must be what the model says.
func (l *lab) settle(t rapid.TB, policy uint32) {
	want := l.model.resolve()
	if _, err := l.resolver.Step(l.t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	docs := l.published
	l.published = nil
	l.mu.Unlock()
	got := map[string]modelKey{}
	decoder := codec.JSON{Epoch: schemas.DiscordEpoch}
	for _, d := range docs {
		b := schemas.GetBatch()
		if err := decoder.Decode(b, []byte(d), codec.Origin{Time: moments[len(moments)-1].UnixMicro()}); err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		got[b.String(b.EventRef[0])] = modelKey{b.ChannelID[0], b.MessageID[0], b.MessageHash[0]}
		b.Release()
	}
	if !maps.Equal(got, want) {
		t.Fatalf("resolved %+v, want %+v", got, want)
	}
	if len(docs) > 0 {
		l.deliver(t, policy, docs...)
		l.step(t)
	}
}

// step is a look that has nothing to publish.
func (l *lab) step(t rapid.TB) {
	if _, err := l.resolver.Step(l.t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if len(l.published) > 0 {
		t.Fatalf("published %q", l.published)
	}
}

func (l *lab) compare(t rapid.TB) {
	for view, all := range map[string]bool{"messages": false, "messages_all": true} {
		got, want := l.rows(view), l.model.rows(all)
		if !slices.Equal(got, want) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", view, got, want)
		}
	}
	l.compareSearch(t)
	if n, err := l.resolver.Waiting(l.t.Context()); err != nil || int(n) != len(l.model.waiting) {
		t.Fatalf("%d wait, %v, want %+v", n, err, l.model.waiting)
	}
}

// compareSearch looks for one of the words at a time: each costs a query.
func (l *lab) compareSearch(t rapid.TB) {
	words := []string{"zebra", "Ωmega", "語", "under"} // parts of the texts that are words in every one of them
	word := words[l.searched/3%len(words)]
	if l.searched++; l.searched%3 != 0 {
		return
	}
	got := l.rows("search_messages(words = '" + word + "')")
	want := slices.DeleteFunc(l.model.rows(false), func(m message) bool { return !strings.Contains(m.Content, word) })
	if !slices.Equal(got, want) {
		t.Fatalf("%q is found in %+v, want %+v", word, got, want)
	}
}

// TestTheViewsEqualTheModel runs random histories: their events are delivered in any order, any number of times, under
// any redaction policy; between them parts merge and workers restart. The views must equal the model after every step, on
// one server, and the union of two shards likewise.
// `make model N=1000` runs it long.
func TestTheViewsEqualTheModel(t *testing.T) {
	labs := []*lab{newLab(t, 1), newLab(t, 2)}
	var histories, events, steps int
	rapid.Check(t, func(rt *rapid.T) {
		l := rapid.SampledFrom(labs).Draw(rt, "shards")
		l.reset()
		var docs []string
		for n := range rapid.IntRange(2, 14).Draw(rt, "events") {
			docs = append(docs, document(rt, n))
		}
		rt.Logf("%s", docs)
		histories, events = histories+1, events+len(docs)
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			steps++
			l.act(rt, docs)
			l.compare(rt)
		}
	})
	t.Logf("%d histories, %d events, %d steps", histories, events, steps)
}

// act is one step of a history.
func (l *lab) act(t *rapid.T, docs []string) {
	last := moments[len(moments)-1]
	l.now = last.AddDate(0, 0, rapid.IntRange(-20, 60).Draw(t, "days")) // some events arrive late, some before their time
	policy := uint32(rapid.IntRange(0, 2).Draw(t, "policy"))
	some := func() (chosen []string) {
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(docs)-1), 1, 20).Draw(t, "delivered") {
			chosen = append(chosen, docs[i])
		}
		return chosen
	}
	switch rapid.IntRange(0, 9).Draw(t, "step") {
	case 0:
		for _, table := range []string{"state", "unresolved", "removals", "channels"} {
			l.exec("OPTIMIZE TABLE " + table + " FINAL")
		}
	case 1: // a worker dies with rows on their way, and another reads them again
		chosen := some()
		l.write(t, policy, chosen...)
		l.reopen()
		l.deliver(t, policy, chosen...)
	case 2: // an old range is replayed in its order
		from := rapid.IntRange(0, len(docs)-1).Draw(t, "from")
		l.deliver(t, policy, docs[from:]...)
	case 3:
		l.restartResolver()
		l.deliver(t, policy, some()...)
	default:
		l.deliver(t, policy, some()...)
	}
	l.settle(t, policy)
}

// play runs a history that the random ones found: each step is delivered, and settled, under one policy.
func play(t *testing.T, steps ...[]string) {
	t.Helper()
	for shards := range 2 {
		l := newLab(t, shards+1)
		l.reset()
		l.now = moments[len(moments)-1]
		for _, docs := range steps {
			l.deliver(t, 1, docs...)
			l.settle(t, 1)
			l.compare(t)
		}
	}
}
