package lake_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldstream/coldstream/internal/protocol"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

var walks = flag.Int("walks", 20, "schedules of each size that are replayed on the committer")

var errLost = errors.New("connection reset by peer")

// The model of the protocol and the committer agree: schedules that the model makes, with PUTs that come late or never,
// answers that are lost, kills, races for the hint and versions that expire, are replayed on real committers, request by
// request. After every move the store must hold what the model says, and a committer must be where the model has it.
func TestCommittersDoWhatTheModelSays(t *testing.T) {
	var faults [10]int8
	faults[protocol.Lost], faults[protocol.Crash], faults[protocol.Tick], faults[protocol.Upkeep] = 3, 1, 4, 4
	seen := map[string]int{}
	for name, c := range map[string]protocol.Config{
		"two committers":  {Parts: 1, Events: 5, Workers: 1, Committers: 2, Whole: true},
		"with expiry":     {Parts: 1, Events: 5, Workers: 1, Committers: 2, Whole: true, Expire: true},
		"with compaction": {Parts: 1, Events: 5, Workers: 1, Committers: 1, Compactors: 2, Whole: true},
	} {
		copy(c.Faults[:], faults[:])
		if c.Compactors > 0 {
			c.Faults[protocol.Tick] = 0 // how old an output may get is not the table's business
		}
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(*walks) {
				synctest.Test(t, func(t *testing.T) { replay(t, c, seed, seen) })
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
	for _, what := range []string{
		protocol.Plans, protocol.Sends, protocol.Answered, protocol.AnswerLost, protocol.RequestLost, protocol.HearsNothing,
		protocol.ArrivesLate, protocol.Finds, protocol.LooksAgain, protocol.ReadsHint, protocol.HintIsHigh, protocol.HintMoved,
		protocol.RaisesHint, protocol.Killed, protocol.LeavesStone, protocol.Rewrites, protocol.StagesSwap, protocol.Abandons,
	} {
		if seen[what] == 0 {
			t.Errorf("no schedule has the move %q", what)
		}
	}
	t.Logf("%d moves of %d kinds", total(seen), len(seen))
}

func total(seen map[string]int) (n int) {
	for _, k := range seen {
		n += k
	}
	return n
}

// replay walks at random through the model, and makes each move in the real world too.
func replay(t *testing.T, c protocol.Config, seed uint64, seen map[string]int) {
	w := newTwin(t, c.Committers+c.Compactors)
	defer w.end()
	r := rand.New(rand.NewPCG(seed, 1))
	walk := protocol.Begin(c)
	for range 150 {
		options := walk.Options()
		if len(options) == 0 {
			break
		}
		o := choose(r, options)
		walk.Take(o)
		seen[o.What]++
		w.said = append(w.said, o.String())
		w.make(o.Move)
		w.compare(walk.View())
		if t.Failed() {
			return
		}
	}
	w.count(walk.View().Files)
}

// choose takes a kind of move first, so that the seldom ones come as often as others.
func choose(r *rand.Rand, options []protocol.Option) protocol.Option {
	byKind := map[string][]protocol.Option{}
	for _, o := range options {
		byKind[o.What] = append(byKind[o.What], o)
	}
	kinds := slices.Sorted(maps.Keys(byKind))
	of := byKind[kinds[r.IntN(len(kinds))]]
	return of[r.IntN(len(of))]
}

// twin is the real side: a table on a store in memory, and committers whose requests wait for the model's moves.
type twin struct {
	t          *testing.T
	store      *memory
	open       *lake.Table // on which nothing waits
	committers []*actor
	flying     []*parked // PUTs of versions, in the model's order
	records    []lake.Record
	next       int64
	outputs    int
	said       []string
}

// actor is one committer.
type actor struct {
	gate  *gate
	table *lake.Table
	call  *call

	inputs []lake.File // of a compaction
	output lake.DataFile
}

// call is a Commit that goes on.
type call struct {
	to     int8
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// base is the number of the version that the model begins with: the table was made, and its source registered.
const base = 2

func newTwin(t *testing.T, writers int) *twin {
	w := &twin{t: t, store: &memory{objects: map[string][]byte{}}}
	w.open = w.table(w.store)
	must[*lake.Version](t)(w.open.Create(t.Context()))
	must[int](t)(w.open.EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: topic, TopicID: topicID}))
	for range writers {
		w.committers = append(w.committers, w.newActor())
	}
	return w
}

func (w *twin) table(through http.RoundTripper) *lake.Table {
	return lake.OpenEvents(must[*objects.Store](w.t)(objects.Open(objects.Config{
		Endpoint: "https://memory.test", AccessKey: "a", SecretKey: "s", Bucket: memoryBucket, Retries: 1,
		WriteTimeout: 1000 * time.Hour, Transport: through,
	})))
}

func (w *twin) newActor() *actor {
	g := &gate{store: w.store}
	return &actor{gate: g, table: w.table(g)}
}

// make carries a move out.
func (w *twin) make(m protocol.Move) {
	switch m.What {
	case protocol.Checkpoints:
		w.checkpoint()
	case protocol.LeavesStone:
		w.store.mu.Lock()
		w.store.objects[fmt.Sprintf("lake/events/metadata/v%d.metadata.json", base+m.A)] = []byte(`{"coldstream_tombstone":true}`)
		w.store.mu.Unlock()
	case protocol.ArrivesLate:
		_, _ = w.store.RoundTrip(w.land(m.B).r)
	case protocol.NeverArrives:
		w.land(m.B)
	case protocol.Answered, protocol.AnswerLost, protocol.RequestLost:
		w.answer(w.land(m.B), m.What)
	default:
		if actor, _, _ := strings.Cut(m.What, " "); actor == "writer" || actor == "committer" || actor == "compactor" {
			w.act(w.committers[m.A], m)
		}
	}
	synctest.Wait()
}

// land takes a PUT out of the air.
func (w *twin) land(i int8) *parked {
	p := w.flying[i]
	w.flying = slices.Delete(w.flying, int(i), int(i)+1)
	return p
}

// answer lets a PUT that is waited for reach the store, or its answer the committer, or neither.
func (w *twin) answer(p *parked, how string) {
	p.answer <- func() (*http.Response, error) {
		if how == protocol.RequestLost {
			return nil, errLost
		}
		a, err := w.store.RoundTrip(p.r)
		if how == protocol.AnswerLost {
			return nil, errLost
		}
		return a, err
	}
	if how != protocol.Answered {
		w.pause()
	}
}

// act makes a move of one committer.
func (w *twin) act(a *actor, m protocol.Move) {
	pass := func(kind string) {
		w.expect(a, kind)
		if p := a.gate.take(); p != nil {
			p.answer <- func() (*http.Response, error) { return w.store.RoundTrip(p.r) }
			synctest.Wait()
		}
	}
	look := func() {
		for a.gate.is() == "version" || a.gate.is() == "hint" {
			pass(a.gate.is())
		}
	}
	switch m.What {
	case protocol.Plans:
		w.plan(a, m.B)
		look()
		w.expect(a, "put")
	case protocol.Rewrites:
		a.next(func(ctx context.Context) error { return w.rewrite(ctx, a) })
		look()
		w.finished(a)
	case protocol.StagesSwap:
		w.swap(a)
		look()
		w.expect(a, "put")
	case protocol.Abandons:
		w.swap(a)
		look()
		w.abandoned(a)
	case protocol.Sends:
		w.expect(a, "put")
		w.flying = append(w.flying, a.gate.take())
	case protocol.HearsNothing:
		w.deaf(a)
		w.pause()
	case protocol.Finds, protocol.LooksAgain:
		for pass("version"); a.gate.is() == "version"; {
			pass("version")
		}
		if m.What == protocol.Finds {
			w.expect(a, "hint")
		} else {
			w.expect(a, "nothing")
		}
	case protocol.ReadsHint:
		pass("hint")
		w.expect(a, "raise")
	case protocol.HintMoved:
		pass("raise")
		w.expect(a, "hint")
	case protocol.HintIsHigh:
		pass("hint")
		w.finished(a)
	case protocol.RaisesHint:
		pass("raise")
		w.finished(a)
	case protocol.Killed:
		w.kill(a)
		w.committers[m.A] = w.newActor()
	default:
		w.t.Errorf("a move that the test does not know: %s", m)
	}
}

// plan begins a commit of the records below to, or lets one go on that has lost a race for the same records.
func (w *twin) plan(a *actor, to int8) {
	if a.call != nil && a.call.to == to && !a.call.ended() {
		w.pause() // it waits a moment before it looks again
		return
	}
	if a.call != nil {
		a.call.cancel()
		if p := a.gate.take(); p != nil {
			p.lose()
		}
		<-a.call.done
	}
	records := w.records[:to]
	a.next(func(ctx context.Context) error {
		_, err := lake.NewCommitter(a.table, cluster, "chunks", chunksID).Commit(ctx, records)
		return err
	})
	a.call.to = to
}

// next begins a call.
func (a *actor) next(do func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	k := &call{cancel: cancel, done: make(chan struct{})}
	a.call = k
	go func() {
		defer close(k.done)
		k.err = do(ctx)
	}()
	synctest.Wait()
}

func (k *call) ended() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// pause lets the moments pass that the client and the committer wait after an error.
func (w *twin) pause() {
	time.Sleep(10 * time.Second)
	synctest.Wait()
}

// deaf ends the wait for an answer. The PUT may still arrive.
func (w *twin) deaf(a *actor) {
	for _, p := range w.flying {
		if p.owner == a.gate {
			p.lose()
		}
	}
}

// kill ends a committer where it is; what it has sent is on its way.
func (w *twin) kill(a *actor) {
	a.gate.mu.Lock()
	a.gate.dead = true
	a.gate.mu.Unlock()
	if p := a.gate.take(); p != nil {
		p.lose()
	}
	w.deaf(a)
	if a.call != nil {
		a.call.cancel()
		<-a.call.done
	}
}

// finished expects the end of a commit that succeeded.
func (w *twin) finished(a *actor) {
	switch {
	case !a.call.ended():
		w.fail("the commit goes on, with %s", a.gate.is())
	case a.call.err != nil:
		w.fail("the commit failed: %v", a.call.err)
	}
	a.call = nil
}

func (w *twin) expect(a *actor, kind string) {
	if a.gate.is() == kind {
		return
	}
	var why error
	if a.call != nil && a.call.ended() {
		why = a.call.err
	}
	w.fail("the committer waits with %s, the model with %s; its call ended with %v", a.gate.is(), kind, why)
}

func (w *twin) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%s\nafter:\n%s", fmt.Sprintf(format, args...), strings.Join(w.said, "\n"))
}

// checkpoint announces one record of the source.
func (w *twin) checkpoint() {
	id := fmt.Sprintf("c%d", w.next)
	b := bed{Table: w.open, store: w.open.Store()}
	c := b.checkpoint(w.t, id, w.next, w.next+1)
	w.next++
	w.records = append(w.records, lake.Record{Offset: int64(len(w.records)), Value: must[[]byte](w.t)(lake.Encode(c))})
}

// compare looks at the store.
func (w *twin) compare(want protocol.View) {
	if w.store.get(fmt.Sprintf("metadata/v%d.metadata.json", base+want.Newest+1)) != "" {
		w.fail("there is a version behind v%d", base+want.Newest)
	}
	var doc struct {
		Properties map[string]string `json:"properties"`
	}
	newest := w.store.get(fmt.Sprintf("metadata/v%d.metadata.json", base+want.Newest))
	if err := json.Unmarshal([]byte(newest), &doc); err != nil {
		w.fail("v%d: %v", base+want.Newest, err)
		return
	}
	var p lake.Position
	if text := doc.Properties[lake.PropertyPosition]; text != "" {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			w.fail("position of v%d: %v", base+want.Newest, err)
		}
	}
	if at, _ := p.Next(cluster, topicID, 0); at != want.Pos || p.Chunks.Next != want.Next {
		w.fail("position %d, and %d in chunks; the model has %d and %d", at, p.Chunks.Next, want.Pos, want.Next)
	}
	if hint := w.store.get("metadata/version-hint.text"); hint != fmt.Sprint(base+want.Hint) {
		w.fail("the hint names %s, the model v%d", hint, base+want.Hint)
	}
}

// count looks at the files of the newest version.
func (w *twin) count(files int) {
	have := live(w.t, w.table(w.store))
	if len(have) != files {
		w.fail("%d files, the model has %d", len(have), files)
	}
}

// end stops what goes on.
func (w *twin) end() {
	for _, a := range w.committers {
		w.kill(a)
	}
}
