package lakeshapes_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bed is a table that sinks write to and a committer takes from.
type bed struct {
	t         *testing.T
	store     *objects.Store
	table     *lake.Table
	records   []lake.Record // of topic `chunks`, not committed yet
	announced int64
	clock     time.Time
	sinks     []*sink.Sink
	next      [partitions]int64
	commits   int
}

func newBed(t *testing.T, workers int) *bed {
	t.Helper()
	a := testkit.S3(t)
	b := &bed{t: t, clock: monday}
	var err error
	b.store, err = objects.Open(objects.Config{
		Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket, Transport: http.DefaultTransport,
	})
	b.check(err)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	b.table = lake.OpenEvents(b.store)
	_, err = b.table.Create(t.Context())
	b.check(err)
	_, err = b.table.EnsureSource(t.Context(), lake.Source{Cluster: "c", Topic: "events", TopicID: "id"})
	b.check(err)
	for i := range max(1, workers) {
		s, err := sink.New(sink.Config{
			Table: b.table, Store: b.store, Worker: fmt.Sprint("w", i), Chunks: "chunks", DLQ: "dlq", Epoch: schemas.DiscordEpoch, Policy: 1,
			Now: func() time.Time { return b.clock },
		})
		b.check(err)
		b.check(s.Open(t.Context(), b.announce))
		b.sinks = append(b.sinks, s)
	}
	return b
}

func (b *bed) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// announce takes the place of the Kafka transaction.
func (b *bed) announce(_ context.Context, _ []schemas.Range, records ...*kgo.Record) error {
	for _, r := range records {
		if r.Topic == "chunks" {
			b.records = append(b.records, lake.Record{Offset: b.announced, Value: r.Value})
			b.announced++
		}
	}
	b.commits++
	return nil
}

// run gives the events to the workers as they arrive, and commits what these announce.
func (b *bed) run(sh *shape, events []event) {
	b.t.Helper()
	const step = 30 * time.Second
	r := rand.New(rand.NewPCG(9, 10))
	for i := 0; i < len(events); {
		if !sh.backlog {
			b.clock = maxTime(b.clock.Add(step), events[i].arrives.Add(-time.Hour))
		}
		n := i
		for n < len(events) && n < i+5000 && (sh.backlog || !events[n].arrives.After(b.clock)) {
			n++
		}
		b.write(events[i:n], i, r)
		i = n
		b.tick()
	}
	for _, s := range b.sinks {
		b.check(s.Close(b.t.Context()))
	}
	c := lake.NewCommitter(b.table, "c", "chunks", "chunks-id")
	for part := range slices.Chunk(b.records, 200) {
		_, err := c.Commit(b.t.Context(), part)
		b.check(err)
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (b *bed) write(events []event, first int, r *rand.Rand) {
	var text []byte
	for p := range int32(partitions) {
		batch := schemas.GetBatch()
		batch.Policy = 1
		rows := schemas.Range{Source: schemas.Source{Cluster: "c", Topic: "events", TopicID: "id", Partition: p}, From: b.next[p]}
		for i := range events {
			if events[i].partition != p {
				continue
			}
			var row schemas.Row
			row, text = events[i].row(first+i, r, text)
			row.Offset = b.next[p]
			b.next[p]++
			batch.Append(&row)
		}
		if rows.Next = b.next[p]; rows.Next > rows.From {
			rows.Events = rows.Next - rows.From
			b.check(b.sinks[int(p)%len(b.sinks)].Write(b.t.Context(), batch, rows, nil))
		}
		if !batch.Kept() {
			batch.Release()
		}
	}
}

// tick lets every worker close a checkpoint if it is due, and waits until that is announced.
func (b *bed) tick() {
	for _, s := range b.sinks {
		before := s.Stats().HeldRows
		b.check(s.Tick(b.t.Context(), b.clock))
		if before == 0 || s.Stats().HeldRows > 0 {
			continue
		}
		for commits := b.commits; b.commits == commits; {
			time.Sleep(time.Millisecond) // the upload is another goroutine's
			b.check(s.Tick(b.t.Context(), b.clock))
		}
	}
}

// measure is what the table's files look like.
type measure struct {
	files, windows, chunks, mostChunks, days, mostFiles int
	rows, bytes, median                                 int64
}

func (b *bed) measure() (m measure) {
	b.t.Helper()
	v, err := b.table.Load(b.t.Context())
	b.check(err)
	files, err := v.Files(b.t.Context(), lake.Filter{})
	b.check(err)
	byWindow, byDay := map[int64]int{}, map[int32]int{}
	var sizes []int64
	blocks := b.store.Blocks(16 << 20)
	for _, f := range files {
		r, err := parquet.Open(blocks.Open(b.t.Context(), b.table.Key(f.Path), f.Size), f.Size)
		b.check(err)
		for _, c := range r.Chunks() {
			byWindow[c.WindowMs]++
			m.chunks++
			m.mostChunks = max(m.mostChunks, byWindow[c.WindowMs])
		}
		byDay[f.Day]++
		m.mostFiles = max(m.mostFiles, byDay[f.Day])
		sizes = append(sizes, f.Size)
		m.rows += f.Rows
		m.bytes += f.Size
	}
	slices.Sort(sizes)
	m.files, m.windows, m.days, m.median = len(files), len(byWindow), len(byDay), sizes[len(sizes)/2]
	return m
}

// TestShapes makes each shape and compacts it: a short while of each, or a day with COLDSTREAM_SHAPES=full, as
// `make bench-lake` does, which prints the table.
func TestShapes(t *testing.T) {
	s := &small
	if os.Getenv("COLDSTREAM_SHAPES") == "full" {
		s = &full
	}
	table := "| shape | events | files | chunks a window, mean (most) | median file | bytes a row | compacted: files | chunks a window | median file | bytes a row | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
	for i := range shapes {
		sh := &shapes[i]
		t.Run(sh.name, func(t *testing.T) { table += sh.try(t, s) })
	}
	t.Logf("\n%s", table)
}

func (sh *shape) try(t *testing.T, s *scale) string {
	b := newBed(t, sh.workers)
	events := sh.make(s)
	first := len(events)
	b.run(sh, events)
	var again int64
	if sh.repeats != nil {
		again = b.sendAgain(events, sh.repeats(s, first))
	}
	before := b.measure()
	job, err := compact.New(compact.Config{Table: b.table, After: -1, Now: func() time.Time { return monday.AddDate(0, 0, 30) }})
	b.check(err)
	begin := time.Now()
	plans, err := job.All(t.Context(), compact.Range{})
	b.check(err)
	var removed int64
	for i := range plans {
		r, err := job.Day(t.Context(), &plans[i])
		b.check(err)
		removed += r.Repeats
	}
	took := time.Since(begin)
	after := b.measure()
	if before.rows != int64(first)+again || after.rows != int64(first) || removed != again {
		t.Errorf("%d events and %d again: %d rows, compacted %d, %d removed", first, again, before.rows, after.rows, removed)
	}
	if after.mostChunks != 1 || after.mostFiles > 1 || after.windows != before.windows {
		t.Errorf("compacted: %+v, before %+v", after, before)
	}
	per := func(m measure) float64 { return float64(m.chunks) / float64(m.windows) }
	return fmt.Sprintf("| %s (%s) | %d | %d in %d days | %.1f (%d) | %.1f kB | %.0f | %d | %.1f | %.1f kB | %.0f | %.1f |\n", sh.name, sh.about, before.rows,
		before.files, before.days, per(before), before.mostChunks, float64(before.median)/1e3, float64(before.bytes)/float64(before.rows),
		after.files, per(after), float64(after.median)/1e3, float64(after.bytes)/float64(after.rows), took.Seconds())
}

// sendAgain archives some of the events once more, in the next partition.
func (b *bed) sendAgain(events []event, which []int) int64 {
	rows := schemas.GetBatch() // the sink's from here on
	rows.Policy = 1
	r := rand.New(rand.NewPCG(11, 12))
	for _, s := range b.sinks {
		b.check(s.Open(b.t.Context(), b.announce))
	}
	b.records = nil
	at := schemas.Range{Source: schemas.Source{Cluster: "c", Topic: "events", TopicID: "id", Partition: partitions}, From: 0}
	for n, i := range which {
		row, _ := events[i].row(i, r, nil)
		row.Partition, row.Offset = partitions, int64(n)
		rows.Append(&row)
	}
	at.Next, at.Events = int64(len(which)), int64(len(which))
	b.check(b.sinks[0].Write(b.t.Context(), rows, at, nil))
	b.check(b.sinks[0].Close(b.t.Context()))
	_, err := lake.NewCommitter(b.table, "c", "chunks", "chunks-id").Commit(b.t.Context(), b.records)
	b.check(err)
	return at.Events
}
