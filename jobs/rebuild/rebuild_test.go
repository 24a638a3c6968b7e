package rebuild_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/jobs/rebuild"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/schemas/parquet"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// world is a table with real files that follows a topic.
type world struct {
	t             *testing.T
	store         *objects.Store
	table         *lake.Table
	events        lake.Source
	chunks, group string
	client        []kgo.Opt
	producer      *kgo.Client
	offset        int64 // of `chunks`
	index         int32 // of the source that rows and footers name
	footers       bool  // footers say where rows come from
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, client: []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}, chunks: testkit.Topic(t, 1, nil), group: testkit.Name(t), producer: testkit.KafkaClient(t)}
	w.store = testkit.Must[*objects.Store](t)(objects.Open(lakekit.StoreConfig(t, testkit.S3(t), "")))
	w.table = lake.OpenEvents(w.store)
	w.events = testkit.Must[lake.Source](t)(lake.IdentifyTopic(t.Context(), w.client, testkit.Topic(t, 1, nil)))
	testkit.Must[*lake.Version](t)(w.table.Create(t.Context()))
	testkit.Must[int](t)(w.table.EnsureSource(t.Context(), w.events))
	return w
}

func (w *world) again() *lake.Table { return lake.OpenEvents(w.store) }

// upload makes the file of the offsets [from, next): the event at an offset is number offset%modulo, so that later ones repeat.
func (w *world) upload(name string, from, next, modulo int64) lake.DataFile {
	w.t.Helper()
	b, c := schemas.GetBatch(), codec.JSON{Epoch: schemas.DiscordEpoch}
	defer b.Release()
	windows := map[schemas.Window][]int32{}
	for o := from; o < next; o++ {
		at := monday.Add(time.Duration(o%modulo) * time.Minute)
		doc := fmt.Sprintf(`{"event_id":"%d","channel_id":"7","content":"number %d","timestamp":%q}`, schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(o%modulo)), o, at.Format(time.RFC3339))
		if err := c.Decode(b, []byte(doc), codec.Origin{Source: w.index, Offset: o, Time: at.UnixMicro()}); err != nil {
			w.t.Fatal(err)
		}
		win := schemas.WindowOf(at.UnixMicro())
		windows[win] = append(windows[win], int32(o-from))
	}
	made := parquet.Provenance{Checkpoint: name, Worker: "w", Policy: 1, Epoch: schemas.DiscordEpoch}
	if w.footers {
		made.Sources = []parquet.SourceRange{{Source: w.index, Cluster: w.events.Cluster, Topic: w.events.Topic, TopicID: w.events.TopicID, From: from, Next: next}}
	}
	pw := parquet.NewWriter(made)
	for _, win := range slices.Sorted(maps.Keys(windows)) {
		if err := pw.WriteWindow(win, b, windows[win]); err != nil {
			w.t.Fatal(err)
		}
	}
	f := testkit.Must[*parquet.File](w.t)(pw.Finish())
	day := schemas.DayOf(monday.UnixMicro())
	d := lake.Describe(f, fmt.Sprintf("data/day=%s/%s.parquet", day, name), int32(day), 1)
	testkit.Must[objects.Info](w.t)(w.store.Put(w.t.Context(), w.table.Key(d.Path), f.Bytes))
	return d
}

// announce writes the record of a checkpoint to `chunks`, and gives it to the committer.
func (w *world) announce(table *lake.Table, from, next int64, files ...lake.DataFile) {
	w.t.Helper()
	s := w.events
	cp := lake.Checkpoint{ID: fmt.Sprint("cp", from), Worker: "w", Files: files, Sources: []lake.SourceRange{
		{Cluster: s.Cluster, Topic: s.Topic, TopicID: s.TopicID, From: from, Next: next},
	}}
	value := testkit.Must[[]byte](w.t)(lake.Encode(cp))
	if err := w.producer.ProduceSync(w.t.Context(), &kgo.Record{Topic: w.chunks, Value: value}).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	id := testkit.Must[lake.Source](w.t)(lake.IdentifyTopic(w.t.Context(), w.client, w.chunks))
	done := testkit.Must[lake.Committed](w.t)(lake.NewCommitter(table, id.Cluster, id.Topic, id.TopicID).Commit(w.t.Context(), []lake.Record{{Offset: w.offset, Value: value}}))
	if done.Checkpoints != 1 {
		w.t.Fatalf("%+v", done)
	}
	w.offset++
}

// content gives the rows of the table by offset, and how many chunks and bounds its files tell.
func (w *world) content() (rows map[int64]schemas.Sum, stats string) {
	w.t.Helper()
	rows = map[int64]schemas.Sum{}
	v := testkit.Must[*lake.Version](w.t)(w.again().Load(w.t.Context()))
	var h schemas.RowHasher
	for _, f := range testkit.Must[[]lake.File](w.t)(v.Files(w.t.Context(), lake.Filter{})) {
		body, _, err := w.store.Get(w.t.Context(), w.table.Key(f.Path))
		if err != nil {
			w.t.Fatal(err)
		}
		if low, high, ok := f.EventTimes(); !ok || low.Before(monday) || high.Before(low) {
			w.t.Errorf("%s: event times %v to %v, %v", f.Path, low, high, ok)
		}
		stats += fmt.Sprintln(f.Path, f.Rows, f.Size, f.Stats)
		for b, err := range testkit.Must[*parquet.Reader](w.t)(parquet.Open(bytes.NewReader(body), f.Size)).Batches(parquet.Query{}) {
			if err != nil {
				w.t.Fatal(err)
			}
			for i := range b.Len() {
				if _, twice := rows[b.Offset[i]]; twice {
					w.t.Errorf("offset %d stands twice", b.Offset[i])
				}
				rows[b.Offset[i]] = h.Row(b, i)
			}
		}
	}
	return rows, stats
}

// sources gives the ids of the topics that a table's sources come from.
func (w *world) sources(v *lake.Version) string {
	w.t.Helper()
	var ids []string
	for _, s := range testkit.Must[[]lake.Source](w.t)(v.Sources()) {
		ids = append(ids, s.TopicID)
	}
	return strings.Join(ids, " ")
}

func (w *world) lose(what string) {
	w.t.Helper()
	for o, err := range w.store.List(w.t.Context(), w.table.Key("metadata")) {
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.Contains(o.Key, what) {
			if err := w.store.Remove(w.t.Context(), o.Key); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) rebuild(change ...func(*rebuild.Config)) (rebuild.Result, error) {
	cfg := rebuild.Config{Table: w.again(), Client: w.client, Topic: w.events.Topic, Chunks: w.chunks, Group: w.group, DedupWindow: 1 << 20}
	for _, c := range change {
		c(&cfg)
	}
	return rebuild.Run(w.t.Context(), cfg)
}

// The table comes back from its files: without what it lost, with the same rows and statistics, and it goes on.
func TestRebuild(t *testing.T) {
	for _, lost := range []string{"metadata/", ".metadata.json", "snap-"} {
		t.Run(lost, func(t *testing.T) {
			w := newWorld(t)
			w.announce(w.table, 0, 20, w.upload("a", 0, 20, 1000))
			w.upload("discarded", 20, 45, 1000) // uploaded, never announced; read and archived again with other cuts
			w.announce(w.table, 20, 30, w.upload("b", 20, 30, 1000))
			w.announce(w.table, 30, 60, w.upload("c", 30, 60, 1000))
			w.announce(w.table, 60, 70) // dead letters only
			before, _ := w.content()
			w.lose(lost)
			r := testkit.Must[rebuild.Result](t)(w.rebuild())
			after, _ := w.content()
			if !maps.Equal(before, after) || r.Found != 4 || r.Rows != 60 || r.Version == 0 {
				t.Errorf("%d rows of %d, %+v", len(after), len(before), r)
			}
			v := testkit.Must[*lake.Version](t)(w.again().Load(t.Context()))
			if next, ok := v.Position.Next(w.events.Cluster, w.events.TopicID, 0); next != 70 || !ok || v.Position.Chunks.Next != w.offset {
				t.Errorf("position %+v", v.Position)
			}
			w.announce(w.again(), 70, 80, w.upload("d", 70, 80, 1000))
			if rows, _ := w.content(); len(rows) != 70 {
				t.Errorf("%d rows after it went on", len(rows))
			}
			if _, err := w.rebuild(); !errors.Is(err, rebuild.ErrThere) {
				t.Errorf("again: %v", err)
			}
			if r := testkit.Must[rebuild.Result](t)(w.rebuild(func(c *rebuild.Config) { c.Replace = true })); r.Rows != 70 {
				t.Errorf("replaced: %+v", r)
			}
		})
	}
}

// Files before and after a compaction are both on the store: the rows are there once, and the repeats stay removed.
func TestRebuildAfterCompactions(t *testing.T) {
	w := newWorld(t)
	clock := monday.AddDate(0, 0, 9)
	compactDay := func() {
		t.Helper()
		clock = clock.Add(time.Hour) // which of two compactions is the newer is told by their times
		c := testkit.Must[*compact.Compactor](t)(compact.New(compact.Config{Table: w.again(), After: -1, Now: func() time.Time { return clock }}))
		for _, p := range testkit.Must[[]compact.Plan](t)(c.All(t.Context(), compact.Range{})) {
			testkit.Must[compact.Result](t)(c.Day(t.Context(), &p))
		}
	}
	w.announce(w.table, 0, 20, w.upload("a", 0, 20, 15)) // five repeats
	w.announce(w.table, 20, 30, w.upload("b", 20, 30, 1000))
	compactDay()
	w.announce(w.again(), 30, 35, w.upload("c", 30, 35, 1000))
	compactDay()
	before, stats := w.content()
	w.lose("metadata/")
	dry := testkit.Must[rebuild.Result](t)(w.rebuild(func(c *rebuild.Config) { c.DryRun = true }))
	if _, err := w.again().Load(t.Context()); !errors.Is(err, lake.ErrNoTable) {
		t.Errorf("a dry run left %v", err)
	}
	r := testkit.Must[rebuild.Result](t)(w.rebuild())
	after, again := w.content()
	if stats != again {
		t.Errorf("the files are\n%s\nand were\n%s", again, stats)
	}
	if !maps.Equal(before, after) || len(after) != 30 || r.Repeats != 5 || r.Whole != 1 || r.Part != 0 || dry.Rows != r.Rows {
		t.Errorf("%d rows of %d, %+v, dry %+v", len(after), len(before), r, dry)
	}
}

// Where footers say which topic rows come from, a topic that was made again keeps its own number and its own offsets.
func TestRebuildKnowsTopicsByFooters(t *testing.T) {
	for name, c := range map[string]struct {
		footers bool
		archive bool // something of the new topic is archived already
		want    string
	}{
		"footers, nothing of the new topic yet": {true, false, "old new"},
		"footers, both":                         {true, true, "old new"},
		"no footers":                            {false, true, "lost-0 new"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.footers = c.footers
			w.announce(w.table, 0, 20, w.upload("a", 0, 20, 1000))
			old := w.events
			w.events = testkit.Must[lake.Source](t)(lake.IdentifyTopic(t.Context(), w.client, testkit.Topic(t, 1, nil)))
			testkit.Must[int](t)(w.again().EnsureSource(t.Context(), w.events))
			w.index = 1
			next := int64(0)
			if c.archive {
				w.announce(w.again(), 0, 5, w.upload("b", 0, 5, 1000))
				next = 5
			}
			w.lose("metadata/")
			r := testkit.Must[rebuild.Result](t)(w.rebuild())
			v := testkit.Must[*lake.Version](t)(w.again().Load(t.Context()))
			got := strings.NewReplacer(old.TopicID, "old", w.events.TopicID, "new").Replace(w.sources(v))
			if at, _ := v.Position.Next(w.events.Cluster, w.events.TopicID, 0); got != c.want || at != next || r.Rows != 20+next {
				t.Errorf("sources %s, position %d, %+v", got, at, r)
			}
		})
	}
}

func TestRebuildRefuses(t *testing.T) {
	t.Run("while a worker runs", func(t *testing.T) {
		w := newWorld(t)
		w.announce(w.table, 0, 20, w.upload("a", 0, 20, 1000))
		w.lose("metadata/")
		cl := testkit.KafkaClient(t, kgo.ConsumerGroup(w.group), kgo.ConsumeTopics(w.events.Topic))
		if err := testkitJoin(t.Context(), cl); err != nil {
			t.Fatal(err)
		}
		if _, err := w.rebuild(); !errors.Is(err, lake.ErrHeld) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a file that cannot be read", func(t *testing.T) {
		w := newWorld(t)
		f := w.upload("a", 0, 20, 1000)
		w.announce(w.table, 0, 20, f)
		w.lose("metadata/")
		testkit.Must[objects.Info](t)(w.store.Put(t.Context(), w.table.Key("data/day=2026-03-02/broken.parquet"), []byte("not Parquet, and long enough to have a footer")))
		if _, err := w.rebuild(); !errors.Is(err, rebuild.ErrUnreadable) {
			t.Errorf("got %v", err)
		}
	})
}

// testkitJoin waits until a member of a group has its partitions.
func testkitJoin(ctx context.Context, cl *kgo.Client) error {
	for ctx.Err() == nil {
		if _, generation := cl.GroupMetadata(); generation > 0 {
			poll, stop := context.WithTimeout(ctx, time.Second)
			cl.PollFetches(poll)
			stop()
			return nil
		}
		poll, stop := context.WithTimeout(ctx, 100*time.Millisecond)
		cl.PollFetches(poll)
		stop()
	}
	return ctx.Err()
}
