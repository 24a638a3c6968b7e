package compact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/schemas/parquet"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var (
	day = time.Date(2024, 10, 4, 0, 0, 0, 0, time.UTC)
	now = day.AddDate(0, 0, 30)
)

// world is a table on a bucket of its own, written to as workers and a committer would.
type world struct {
	t         *testing.T
	config    objects.Config
	store     *objects.Store
	table     *lake.Table
	committer *lake.Committer
	next      map[int32]int64 // offset by partition
	chunks    int64
	files     int
	silent    bool // footers do not say where rows come from, as those of older releases
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, next: map[int32]int64{}, config: lakekit.StoreConfig(t, testkit.S3(t), "")}
	w.config.Retries = 1
	w.store = testkit.Must[*objects.Store](t)(objects.Open(w.config))
	w.table = lake.OpenEvents(w.store)
	testkit.Must[*lake.Version](t)(w.table.Create(t.Context()))
	testkit.Must[int](t)(w.table.EnsureSource(t.Context(), lake.Source{Cluster: "c", Topic: "events", TopicID: "id"}))
	w.committer = lake.NewCommitter(w.table, "c", "chunks", "chunks-id")
	return w
}

// row is one event; n makes its id, in the order of time, and ref an opaque one.
type row struct {
	at        time.Time
	n         int
	ref       string
	partition int32
	content   string
}

func (r row) doc() string {
	id := fmt.Sprint(schemas.DiscordEpoch.ID(r.at.UnixMilli(), uint64(r.n)))
	if r.ref != "" {
		id = r.ref
	}
	return fmt.Sprintf(`{"event_id":%q,"channel_id":"%d","user_id":"5","content":%q,"timestamp":%q}`, id, r.n%7, r.content, r.at.Format(time.RFC3339Nano))
}

// every gives a row each step of a day, n of them.
func every(step time.Duration, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{at: day.Add(time.Duration(i) * step), n: i, content: fmt.Sprint("number ", i)}
	}
	return rows
}

// archive commits rows as one checkpoint under a policy, and gives the path of its one file. All are of one day.
func (w *world) archive(policy int64, rows ...row) string {
	w.t.Helper()
	w.files++
	id := fmt.Sprintf("cp-%03d", w.files)
	cp := lake.Checkpoint{ID: id, Worker: "w", Policy: policy}
	f := w.upload(w.table, id, policy, rows)
	cp.Files = []lake.DataFile{f}
	count := map[int32]int64{}
	for _, r := range rows {
		count[r.partition]++
	}
	for p, n := range count {
		cp.Sources = append(cp.Sources, lake.SourceRange{Cluster: "c", Topic: "events", TopicID: "id", Partition: p, From: w.next[p], Next: w.next[p] + n})
		w.next[p] += n
	}
	done, err := w.committer.Commit(w.t.Context(), []lake.Record{{Offset: w.chunks, Value: testkit.Must[[]byte](w.t)(lake.Encode(cp))}})
	if err != nil || done.Checkpoints != 1 {
		w.t.Fatal(done, err)
	}
	w.chunks++
	return f.Path
}

// upload makes a chunk file as a worker does; the offsets go on from w.next.
func (w *world) upload(table *lake.Table, id string, policy int64, rows []row) lake.DataFile {
	w.t.Helper()
	b, c := schemas.GetBatch(), codec.JSON{Epoch: schemas.DiscordEpoch}
	defer b.Release()
	next := map[int32]int64{}
	windows := map[schemas.Window][]int32{}
	for i, r := range rows {
		where := codec.Origin{Partition: r.partition, Offset: w.next[r.partition] + next[r.partition], Time: r.at.UnixMicro()}
		next[r.partition]++
		if err := c.Decode(b, []byte(r.doc()), where); err != nil {
			w.t.Fatal(err)
		}
		win := schemas.WindowOf(b.Time[i])
		windows[win] = append(windows[win], int32(i))
	}
	from := parquet.Provenance{Checkpoint: id, Worker: "w", Policy: policy, Epoch: schemas.DiscordEpoch}
	for p, n := range next {
		from.Sources = parquet.Join(from.Sources, []parquet.SourceRange{{Cluster: "c", Topic: "events", TopicID: "id", Partition: p, From: w.next[p], Next: w.next[p] + n}})
	}
	if w.silent {
		from.Sources = nil
	}
	pw := parquet.NewWriter(from)
	var starts []schemas.Window
	for win := range windows {
		starts = append(starts, win)
	}
	slices.Sort(starts)
	for _, win := range starts {
		if err := pw.WriteWindow(win, b, windows[win]); err != nil {
			w.t.Fatal(err)
		}
	}
	f := testkit.Must[*parquet.File](w.t)(pw.Finish())
	d := lake.Describe(f, fmt.Sprintf("data/day=%s/%s-00.parquet", starts[0].Day(), id), int32(starts[0].Day()), policy)
	testkit.Must[objects.Info](w.t)(table.Store().Put(w.t.Context(), table.Key(d.Path), f.Bytes))
	return d
}

// again opens the table as another process would, with faults between it and the store if f is set.
func (w *world) again(f http.RoundTripper) *lake.Table {
	w.t.Helper()
	cfg := w.config
	if f != nil {
		cfg.Transport = f
	}
	return lake.OpenEvents(testkit.Must[*objects.Store](w.t)(objects.Open(cfg)))
}

func (w *world) compactor(change ...func(*compact.Config)) *compact.Compactor {
	w.t.Helper()
	cfg := compact.Config{Table: w.again(nil), Now: func() time.Time { return now }, After: -1}
	for _, c := range change {
		c(&cfg)
	}
	return testkit.Must[*compact.Compactor](w.t)(compact.New(cfg))
}

// compactAll compacts what is closed, and gives the results.
func (w *world) compactAll(change ...func(*compact.Config)) (out []compact.Result) {
	w.t.Helper()
	c := w.compactor(change...)
	for _, p := range testkit.Must[[]compact.Plan](w.t)(c.All(w.t.Context(), compact.Range{})) {
		out = append(out, testkit.Must[compact.Result](w.t)(c.Day(w.t.Context(), &p)))
	}
	return out
}

// stored is what the table holds.
type stored struct {
	files  []string
	chunks map[string]int // by policy and window
	rows   map[string]int // by place and everything in the row
	ids    map[int64]int
}

func (w *world) read() stored {
	w.t.Helper()
	s := stored{chunks: map[string]int{}, rows: map[string]int{}, ids: map[int64]int{}}
	var h schemas.RowHasher
	for _, f := range w.live() {
		s.files = append(s.files, f.Path)
		body, _, err := w.store.Get(w.t.Context(), w.table.Key(f.Path))
		if err != nil {
			w.t.Fatal(err)
		}
		r := testkit.Must[*parquet.Reader](w.t)(parquet.Open(bytes.NewReader(body), f.Size))
		for _, c := range r.Chunks() {
			s.chunks[fmt.Sprint(r.Provenance().Policy, "/", c.WindowMs)]++
		}
		for b, err := range r.Batches(parquet.Query{}) {
			if err != nil {
				w.t.Fatal(err)
			}
			for i := range b.Len() {
				if from := r.Provenance().Sources; !w.silent && !slices.ContainsFunc(from, func(s parquet.SourceRange) bool {
					return s.TopicID == "id" && s.Partition == b.Partition[i] && s.From <= b.Offset[i] && b.Offset[i] < s.Next
				}) {
					w.t.Errorf("%s: the footer does not say where partition %d offset %d comes from: %+v", f.Path, b.Partition[i], b.Offset[i], from)
				}
				if w.silent && len(r.Provenance().Sources) > 0 {
					w.t.Errorf("%s: the footer says %+v, and not all of its inputs said anything", f.Path, r.Provenance().Sources)
				}
				s.rows[fmt.Sprint(b.Partition[i], "/", b.Offset[i], h.Row(b, i))]++
				s.ids[b.EventID[i]]++
			}
		}
	}
	return s
}

func (w *world) live() []lake.File {
	w.t.Helper()
	v := testkit.Must[*lake.Version](w.t)(w.again(nil).Load(w.t.Context()))
	return testkit.Must[[]lake.File](w.t)(v.Files(w.t.Context(), lake.Filter{}))
}

// listing reads what a compaction listed.
func (w *world) listing(r *compact.Result) (l compact.Listing) {
	w.t.Helper()
	body, _, err := w.store.Get(w.t.Context(), w.table.Key(r.Listing))
	if err == nil {
		err = json.Unmarshal(body, &l)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// one asserts that each window is one chunk under each policy.
func (s *stored) one(t *testing.T) {
	t.Helper()
	for key, n := range s.chunks {
		if n != 1 {
			t.Errorf("window %s is %d chunks", key, n)
		}
	}
}

// fault meets requests of a method whose path has a text in it, all or the first few.
type fault struct {
	method, path string
	times        int // 0: all
	do           func(*http.Request) (*http.Response, error)

	mu  sync.Mutex
	hit int
}

func (f *fault) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	meet := r.Method == f.method && strings.Contains(r.URL.Path, f.path) && (f.times == 0 || f.hit < f.times)
	if meet {
		f.hit++
	}
	f.mu.Unlock()
	if meet {
		return f.do(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func answer(r *http.Request, code int, body string) *http.Response {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/xml"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}
}

func refuse(code int) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return answer(r, code, fmt.Sprintf("<Error><Code>Fault%d</Code></Error>", code)), nil
	}
}

// during does something else, and then lets the request pass.
func during(do func(context.Context)) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		do(context.WithoutCancel(r.Context()))
		return http.DefaultTransport.RoundTrip(r)
	}
}
