package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/sweep"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const day = int32(20000)

// world is a table that follows a topic `chunks`.
type world struct {
	t      *testing.T
	config objects.Config
	store  *objects.Store
	table  *lake.Table
	id     lake.Source
	client []kgo.Opt
	next   int64 // of the source's partition
	chunks int64 // offset of the next record that was not produced, but committed at once
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, config: lakekit.StoreConfig(t, testkit.S3(t), "")}
	w.config.Retries = 1
	w.store = testkit.Must[*objects.Store](t)(objects.Open(w.config))
	w.table = lake.OpenEvents(w.store)
	testkit.Must[*lake.Version](t)(w.table.Create(t.Context()))
	testkit.Must[int](t)(w.table.EnsureSource(t.Context(), lake.Source{Cluster: "c", Topic: "events", TopicID: "id"}))
	w.id = testkit.Must[lake.Source](t)(lake.IdentifyTopic(t.Context(), w.client, testkit.Topic(t, 1, nil)))
	return w
}

func (w *world) again(f http.RoundTripper) *lake.Table {
	cfg := w.config
	if f != nil {
		cfg.Transport = f
	}
	return lake.OpenEvents(testkit.Must[*objects.Store](w.t)(objects.Open(cfg)))
}

// checkpoint puts one file on the store and gives the record that announces it.
func (w *world) checkpoint(name string) []byte {
	w.t.Helper()
	cp := lake.Checkpoint{ID: name, Worker: "w", Files: []lake.DataFile{w.file(name, 10)}}
	cp.Sources = []lake.SourceRange{{Cluster: "c", Topic: "events", TopicID: "id", From: w.next, Next: w.next + 10}}
	w.next += 10
	return testkit.Must[[]byte](w.t)(lake.Encode(cp))
}

func (w *world) file(name string, rows int64) lake.DataFile {
	w.t.Helper()
	body, start := []byte("rows of "+name), int64(day)*86_400_000_000
	f := lake.DataFile{
		Path: "data/" + name + ".parquet", Size: int64(len(body)), Hash: lake.Hash(body), Rows: rows, Day: day,
		Chunks: []lake.Chunk{{WindowMs: start / 1000, RowGroups: 1, Rows: rows}},
		Stats:  []lake.ColumnStats{{FieldID: lake.FieldEventTime, Values: rows, Lower: lake.TimeBound(start), Upper: lake.TimeBound(start)}},
	}
	w.put(f.Path, string(body))
	return f
}

func (w *world) put(rel, body string) {
	w.t.Helper()
	testkit.Must[objects.Info](w.t)(w.store.Put(w.t.Context(), w.table.Key(rel), []byte(body)))
}

// produce writes a record to `chunks`, whose broker has the time at.
func (w *world) produce(cl *kgo.Client, value []byte, at time.Time) {
	w.t.Helper()
	if err := cl.ProduceSync(w.t.Context(), &kgo.Record{Topic: w.id.Topic, Value: value, Timestamp: at}).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// commit announces a checkpoint and takes it into the table.
func (w *world) commit(table *lake.Table, names ...string) {
	w.t.Helper()
	w.commitAt(time.Now(), table, names...)
}

// commitAt is commit by a broker that has another time.
func (w *world) commitAt(at time.Time, table *lake.Table, names ...string) {
	w.t.Helper()
	cl := testkit.KafkaClient(w.t)
	for _, n := range names {
		record := w.checkpoint(n)
		w.produce(cl, record, at)
		testkit.Must[lake.Committed](w.t)(lake.NewCommitter(table, w.id.Cluster, w.id.Topic, w.id.TopicID).Commit(w.t.Context(), []lake.Record{{Offset: w.chunks, Value: record}}))
		w.chunks++
	}
}

// swap replaces the first two files.
func (w *world) swap() {
	w.t.Helper()
	testkit.Must[*lake.Version](w.t)(w.table.Swap(w.t.Context(), lake.Swap{Remove: w.live()[:2], Add: []lake.DataFile{w.file("merged", 20)}}))
}

func (w *world) live() []lake.File {
	w.t.Helper()
	v := testkit.Must[*lake.Version](w.t)(w.again(nil).Load(w.t.Context()))
	return testkit.Must[[]lake.File](w.t)(v.Files(w.t.Context(), lake.Filter{}))
}

// whole asserts that everything that the table needs is there.
func (w *world) whole(want string) {
	w.t.Helper()
	got := ""
	for _, f := range w.live() {
		got += strings.TrimSuffix(strings.TrimPrefix(f.Path, "data/"), ".parquet") + " "
		if _, err := w.store.Head(w.t.Context(), w.table.Key(f.Path)); err != nil {
			w.t.Error(err)
		}
	}
	if got != want {
		w.t.Errorf("live: %q, want %q", got, want)
	}
	testkit.Must[*lake.References](w.t)(w.again(nil).References(w.t.Context()))
}

// data lists the data files on the store.
func (w *world) data() (s string) {
	w.t.Helper()
	for o, err := range w.store.List(w.t.Context(), w.table.Key("data")) {
		if err != nil {
			w.t.Fatal(err)
		}
		s += strings.TrimSuffix(strings.TrimPrefix(o.Key, w.table.Key("data")+"/"), ".parquet") + " "
	}
	return s
}

// tomorrow is when everything that a test wrote is older than the margin.
func tomorrow() time.Time { return time.Now().Add(25 * time.Hour) }

func (w *world) sweep(ctx context.Context, table *lake.Table, now time.Time, change ...func(*sweep.Config)) (sweep.Result, error) {
	cfg := sweep.Config{Table: table, Client: w.client, Chunks: w.id.Topic, Now: func() time.Time { return now }}
	for _, c := range change {
		c(&cfg)
	}
	return sweep.Run(ctx, cfg)
}

func (w *world) swept(now time.Time, change ...func(*sweep.Config)) sweep.Result {
	w.t.Helper()
	return testkit.Must[sweep.Result](w.t)(w.sweep(w.t.Context(), w.again(nil), now, change...))
}

func TestSweepTakesWhatNothingNeeds(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a", "b", "c")
	w.swap()
	w.file("orphan", 10)
	w.put("metadata/lost-m0.avro", "x")
	w.put("checkpoints/lost.json", "{}")
	w.put("compactions/done.json", "{}")
	w.put("notes/readme.txt", "mine")

	young := w.swept(time.Now())
	if len(young.Deleted) != 0 || young.Young != 3 || len(young.Unknown) != 1 {
		t.Errorf("nothing is old yet: %+v", young)
	}
	dry := w.swept(tomorrow(), func(c *sweep.Config) { c.DryRun = true })
	if len(dry.Deleted) != 3 || w.data() != "a b c merged orphan " {
		t.Errorf("dry run: %+v, and there is %s", dry, w.data())
	}
	if got := w.swept(tomorrow()); len(got.Deleted) != 3 || got.Bytes == 0 {
		t.Errorf("%+v", got)
	}
	// a and b are old and not in the table, but a version that was just replaced has them, and readers may have that.
	if got := w.data(); got != "a b c merged " {
		t.Errorf("data: %s", got)
	}
	testkit.Must[lake.Expiry](t)(w.table.Expire(t.Context(), tomorrow(), false, nil))
	got := w.swept(tomorrow())
	if w.data() != "c merged " || len(got.Deleted) < 4 {
		t.Errorf("data: %s, %+v", w.data(), got)
	}
	w.whole("c merged ")
	w.commit(w.again(nil), "d")
	w.whole("c d merged ")
	for _, rel := range []string{"compactions/done.json", "notes/readme.txt"} {
		if _, err := w.store.Head(t.Context(), w.table.Key(rel)); err != nil {
			t.Error(err)
		}
	}
}

// Files that are announced and not in the table yet stay, whatever their age: committed, open and aborted ones.
func TestSweepLeavesWhatIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a")
	cl := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(w.id.Topic))
	transaction := func(name string, end func()) {
		t.Helper()
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		w.produce(cl, w.checkpoint(name), tomorrow())
		end()
	}
	done := func(how kgo.TransactionEndTry) func() {
		return func() {
			if err := cl.EndTransaction(t.Context(), how); err != nil {
				t.Fatal(err)
			}
		}
	}
	transaction("aborted", done(kgo.TryAbort))
	transaction("waiting", done(kgo.TryCommit))
	transaction("open", func() {})
	w.file("orphan", 10)
	w.swept(tomorrow())
	if got := w.data(); got != "a aborted open waiting " {
		t.Errorf("data: %s", got)
	}
	done(kgo.TryAbort)()
}

// The object that holds a checkpoint's list of files is needed for as long as its record is.
func TestSweepLeavesAnAnnouncedList(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a")
	f := w.file("b", 10)
	list := testkit.Must[[]byte](t)(json.Marshal(map[string]any{"format_version": 1, "files": []lake.DataFile{f}}))
	w.put("checkpoints/b.json", string(list))
	w.put("checkpoints/lost.json", "{}")
	record := testkit.Must[[]byte](t)(lake.Encode(lake.Checkpoint{
		ID: "b", Worker: "w", Sources: []lake.SourceRange{{Cluster: "c", Topic: "events", TopicID: "id", From: w.next, Next: w.next + 10}},
		FilesObject: &lake.FilesObject{Path: "checkpoints/b.json", Size: int64(len(list)), Hash: lake.Hash(list), Count: 1},
	}))
	w.produce(testkit.KafkaClient(t), record, tomorrow())
	if got := w.swept(tomorrow()); len(got.Deleted) == 0 || w.data() != "a b " {
		t.Errorf("%+v, and there is %s", got, w.data())
	}
	if _, err := w.store.Head(t.Context(), w.table.Key("checkpoints/b.json")); err != nil {
		t.Error(err)
	}
	if _, err := w.store.Head(t.Context(), w.table.Key("checkpoints/lost.json")); !errors.Is(err, objects.ErrNotFound) {
		t.Error("a list that no record names is still there:", err)
	}
}

// A checkpoint that is committed while a sweep reads is in the version that it read, or in chunks from that version's
// position on.
func TestSweepWhileACheckpointIsCommitted(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a")
	w.file("orphan", 10)
	w.swept(tomorrow(), func(c *sweep.Config) {
		c.Progress = func(stage string, _, _ int64) {
			if stage == "read chunks" {
				w.commitAt(tomorrow(), w.again(nil), "b")
			}
		}
	})
	// Its manifests are older than the margin by the clock of this test alone; the file may be as old as the worker that waited.
	if got := w.data(); got != "a b " {
		t.Errorf("data: %s", got)
	}
}

func TestSweepRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*world)
		want error
	}{
		"while the committer is behind": {func(w *world) { w.produce(testkit.KafkaClient(w.t), w.checkpoint("late"), time.Now()) }, sweep.ErrBehind},
		"where chunks lost records": {func(w *world) {
			cl := testkit.KafkaClient(w.t)
			for range 3 {
				w.produce(cl, []byte("x"), tomorrow())
			}
			var at kadm.Offsets
			at.AddOffset(w.id.Topic, 0, 3, -1)
			done := testkit.Must[kadm.DeleteRecordsResponses](w.t)(kadm.NewClient(cl).DeleteRecords(w.t.Context(), at))
			if err := done.Error(); err != nil {
				w.t.Fatal(err)
			}
		}, lake.ErrLostRecords},
		"on another topic": {func(w *world) { w.id.Topic = testkit.Topic(w.t, 1, nil) }, lake.ErrForeign},
		"at a record that it cannot read": {func(w *world) {
			w.produce(testkit.KafkaClient(w.t), []byte(`{"format_version":99}`), tomorrow())
		}, lake.ErrUnknownVersion},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.commit(w.table, "a")
			w.file("orphan", 10)
			c.do(w)
			r, err := w.sweep(t.Context(), w.again(nil), tomorrow())
			if !errors.Is(err, c.want) || len(r.Deleted) != 0 || !strings.Contains(w.data(), "orphan") {
				t.Errorf("got %v, deleted %v", err, r.Deleted)
			}
		})
	}
}

// hook meets the first request of a method on a path.
type hook struct {
	method, path string
	do           func(*http.Request) (*http.Response, error)
	once         sync.Once
	met          bool
}

func (h *hook) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Method == h.method && strings.Contains(r.URL.Path, h.path) {
		first := false
		h.once.Do(func() { first = true })
		if first {
			h.met = true
			if resp, err = h.do(r); resp != nil || err != nil {
				return resp, err
			}
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A committer wrote its manifests, slept through the margin while they were swept, and wakes up to commit them.
func TestSweepFencesAWriterThatSlept(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a")
	h := &hook{method: http.MethodPut, path: ".metadata.json", do: func(*http.Request) (*http.Response, error) {
		got := w.swept(tomorrow(), func(c *sweep.Config) { c.Margin = 23 * time.Hour * 5 }) // so that what waits is not too old
		if len(got.Deleted) != 0 {
			t.Errorf("too early: %v", got.Deleted)
		}
		got = w.swept(time.Now().Add(500*time.Hour), func(c *sweep.Config) { c.Margin = 490 * time.Hour })
		if len(got.Deleted) < 2 { // manifest and manifest list of the sleeper
			t.Errorf("deleted %v", got.Deleted)
		}
		return nil, nil
	}}
	record := w.checkpoint("b")
	cl := testkit.KafkaClient(t)
	w.produce(cl, record, time.Now().Add(499*time.Hour))
	done, err := lake.NewCommitter(w.again(h), w.id.Cluster, w.id.Topic, w.id.TopicID).Commit(t.Context(), []lake.Record{{Offset: w.chunks, Value: record}})
	if err != nil || !h.met || done.Checkpoints != 1 {
		t.Fatalf("met %v, %+v, %v", h.met, done, err)
	}
	w.whole("a b ")
}

// The store fails, or somebody interrupts, in the middle of the deletes; the next sweep goes on.
func TestSweepIsInterruptedAndGoesOn(t *testing.T) {
	w := newWorld(t)
	w.commit(w.table, "a")
	for i := range 30 {
		w.file(fmt.Sprint("orphan-", i), 10)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := &hook{method: http.MethodDelete, path: "orphan-5", do: func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, errors.New("connection reset by peer")
	}}
	r, err := w.sweep(ctx, w.again(h), tomorrow())
	if err == nil || !h.met || len(r.Deleted) >= 30 {
		t.Fatalf("met %v, %v, %d deleted", h.met, err, len(r.Deleted))
	}
	w.whole("a ")
	w.swept(tomorrow())
	if got := w.data(); got != "a " {
		t.Errorf("data: %s", got)
	}
}

func TestTrimStaysBehindEveryVersion(t *testing.T) {
	w := newWorld(t)
	for i := range 105 {
		w.commit(w.table, fmt.Sprintf("f%03d", i))
		if i == 0 { // the oldest version that can be read has the position 1 from now on
			testkit.Must[lake.Expiry](t)(w.table.Expire(t.Context(), tomorrow(), false, nil))
		}
	}
	trim := func(before time.Time, dry bool) lake.Trim {
		t.Helper()
		return testkit.Must[lake.Trim](t)(w.again(nil).TrimChunks(t.Context(), w.client, w.id.Topic, before, dry))
	}
	if got := trim(tomorrow(), false); got.To != 1 {
		t.Errorf("a version at position 1 can still be read: %+v", got)
	}
	testkit.Must[lake.Expiry](t)(w.table.Expire(t.Context(), tomorrow(), false, nil))
	if got := trim(time.Now().Add(-time.Hour), false); got.To != 1 {
		t.Errorf("no record is as old: %+v", got)
	}
	if got := trim(tomorrow(), true); got.To != 5 {
		t.Errorf("dry run: %+v", got)
	}
	if got := trim(tomorrow(), false); got.From != 1 || got.To != 5 {
		t.Errorf("%+v", got)
	}
	if got := trim(tomorrow(), false); got.From != 5 || got.To != 5 {
		t.Errorf("again: %+v", got)
	}
	w.commit(w.again(nil), "more")
}
