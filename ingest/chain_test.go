package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
)

// publish writes documents to partition 0, in order.
func publish(t *testing.T, topic string, docs ...string) {
	t.Helper()
	c := testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	records := make([]*kgo.Record, len(docs))
	for i, d := range docs {
		records[i] = &kgo.Record{Topic: topic, Key: fmt.Append(nil, "key ", i), Value: []byte(d)}
	}
	if err := c.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func doc(n int, content string) string {
	return fmt.Sprintf(`{"event_id":"%d","channel_id":"9","content":%q}`, schemas.DiscordEpoch.ID(1_700_000_000_000+int64(n), 0), content)
}

// ledger is a sink that keeps dead letters and the ranges' counts.
type ledger struct {
	*memory
	dead    []schemas.DeadLetter
	ranges  []schemas.Range
	content []string
}

func (l *ledger) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	l.dead, l.ranges = append(l.dead, dead...), append(l.ranges, r)
	for _, t := range b.Content {
		l.content = append(l.content, b.String(t))
	}
	return l.memory.Write(ctx, b, r, dead)
}

func (l *ledger) sum() (events, repeats, dead, next int64) {
	for _, r := range l.ranges {
		events, repeats, dead, next = events+r.Events, repeats+r.Repeats, dead+r.Dead, r.Next
	}
	return events, repeats, dead, next
}

// byContent treats a row as its content says.
type byContent struct{ fail func() error }

func (p *byContent) Process(b *schemas.Batch) error {
	for i, t := range b.Content {
		switch text := b.String(t); {
		case strings.HasPrefix(text, "refuse"):
			b.Refuse(i, schemas.Refusef("no", "not this one"))
		case strings.HasPrefix(text, "drop"):
			b.Drop(i)
		case strings.HasPrefix(text, "copy"):
			b.Route(i, "copies", false)
		case strings.HasPrefix(text, "move"):
			b.Route(i, "moved", true)
			b.Content[i] = b.AddText([]byte("redacted"))
		case strings.HasPrefix(text, "fail"):
			if err := p.fail(); err != nil {
				return err
			}
		}
	}
	for i := range b.Refused() {
		b.Refused()[i].Stage = "content"
	}
	return nil
}

// board takes what is published.
type board struct {
	mu      sync.Mutex
	records []*kgo.Record
	fail    int // so many calls fail first
}

func (p *board) publish(_ context.Context, records []*kgo.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail > 0 {
		p.fail--
		return errors.New("the broker is away")
	}
	for _, r := range records { // whose memory is the pipeline's again after the call
		kept := *r
		kept.Key, kept.Value = slices.Clone(r.Key), slices.Clone(r.Value)
		p.records = append(p.records, &kept)
	}
	return nil
}

// What processors refuse becomes a dead letter with the record's own bytes, what they route is published as they left it,
// and the counts of a range cover each.
func TestWhatProcessorsDoWithRows(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	publish(t, topic, doc(0, "plain"), doc(1, "refuse"), doc(2, "drop"), doc(3, "copy"), doc(4, "move"), doc(0, "plain"), "{", doc(5, "end"))
	l := &ledger{memory: newMemory()}
	p := &board{}
	cfg := config(t, topic, testkit.Name(t), l)
	cfg.Publish, cfg.Sample = p.publish, ingest.Sample{Topic: "repeats", Every: 1}
	cfg.Processors = func(schemas.Source) []ingest.Processor {
		d, err := processors.NewDedup(16)
		if err != nil {
			t.Error(err)
		}
		return []ingest.Processor{d, &byContent{}}
	}
	r := run(t, cfg)
	waitRows(t, l.memory, 3)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if events, repeats, dead, next := l.sum(); events != 3 || repeats != 1 || dead != 2 || next != 8 {
		t.Errorf("%d events, %d repeats, %d dead, next %d", events, repeats, dead, next)
	}
	if got := strings.Join(l.content, " "); got != "plain copy end" {
		t.Errorf("rows %s", got)
	}
	slices.SortFunc(l.dead, func(a, b schemas.DeadLetter) int { return int(a.Offset - b.Offset) })
	if d := l.dead[0]; d.Offset != 1 || d.Stage != "content" || d.Error != "no: not this one" || string(d.Key) != "key 1" || string(d.Value) != doc(1, "refuse") {
		t.Errorf("dead letter %+v", d)
	}
	if d := l.dead[1]; d.Offset != 6 || d.Stage != "decode" {
		t.Errorf("dead letter %+v", d)
	}
	var got []string
	for _, r := range p.records {
		got = append(got, fmt.Sprintf("%s %s %s@%s", r.Topic, r.Key, r.Headers[2].Key, r.Headers[2].Value))
	}
	slices.Sort(got)
	if strings.Join(got, ", ") != "copies 9 offset@3, moved 9 offset@4, repeats key 5 offset@5" {
		t.Errorf("published %q", got)
	}
	for _, r := range p.records {
		if r.Topic == "moved" && !strings.Contains(string(r.Value), `"content":"redacted"`) {
			t.Errorf("routed as it came: %s", r.Value)
		}
	}
	if s := r.Stats(); s.Filtered != 1 || s.Routed != 2 || s.Sampled != 1 || s.Dead["no"] != 1 || s.Dead["json"] != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A stage that fails, and a broker that takes no routes, make the pipeline read again; nothing is lost or skipped.
func TestStagesAndRoutesAreTriedAgain(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	publish(t, topic, doc(0, "plain"), doc(1, "fail"), doc(2, "copy"), doc(3, "end"))
	l := &ledger{memory: newMemory()}
	p := &board{fail: 2}
	failures := 3
	cfg := config(t, topic, testkit.Name(t), l)
	cfg.Backoff = time.Millisecond
	cfg.Publish = p.publish
	cfg.Processors = func(schemas.Source) []ingest.Processor {
		return []ingest.Processor{&byContent{fail: func() error {
			if failures--; failures >= 0 {
				return errors.New("the dictionary is away")
			}
			return nil
		}}}
	}
	r := run(t, cfg)
	waitRows(t, l.memory, 4)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.Rewinds != 5 || len(p.records) != 1 || !slices.Equal(l.offsets[0], []int64{0, 1, 2, 3}) {
		t.Errorf("%d rewinds, %d published, offsets %v", s.Rewinds, len(p.records), l.offsets[0])
	}
}

// unlucky is a sink for which every write goes wrong twice: before anything is durable, and right after.
type unlucky struct {
	*memory
	tries   map[int64]int
	durable []int64 // offsets of rows, as committed
	next    int64
}

func (u *unlucky) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	if u.tries[r.From]++; u.tries[r.From] == 1 {
		return fmt.Errorf("%w: before offset %d", schemas.ErrRewind, r.From)
	}
	if err := u.memory.Write(ctx, b, r, dead); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.flush(ctx); err != nil {
		return err
	}
	u.durable = append(u.durable, b.Offset...)
	u.next = r.Next
	return fmt.Errorf("%w: after offset %d", schemas.ErrRewind, r.From)
}

func (u *unlucky) at() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.next
}

// The pipeline rewinds before and after every write, and every few records another process takes over. What is durable in
// the end is what the rule says of the log.
func TestDedupWithRewindsAndRestartsEverywhere(t *testing.T) {
	const records, window, restartEvery = 60, 8, 12
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	var docs []string
	var ids []int
	for i := range records {
		id := (i * i) % 11
		if i%5 == 0 {
			id = 100 + i
		}
		ids, docs = append(ids, id), append(docs, doc(id, "x"))
	}
	publish(t, topic, docs...)
	var want []int64
	for o, id := range ids {
		if !slices.Contains(ids[max(0, o-window):o], id) {
			want = append(want, int64(o))
		}
	}
	u := &unlucky{memory: newMemory(), tries: map[int64]int{}}
	var rewinds int64
	for to := int64(restartEvery); to <= records; to += restartEvery {
		cfg := config(t, topic, group, u)
		cfg.MaxPoll, cfg.Backoff = 3, time.Millisecond
		cfg.Processors = func(schemas.Source) []ingest.Processor {
			d, err := processors.NewDedup(window)
			if err != nil {
				t.Error(err)
			}
			return []ingest.Processor{d}
		}
		r := run(t, cfg)
		testkit.Eventually(t, patience, func() error {
			if at := u.at(); at < to {
				return fmt.Errorf("at %d of %d: %+v", at, to, r.Stats())
			}
			return nil
		})
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		rewinds += r.Stats().Rewinds
	}
	if !slices.Equal(u.durable, want) {
		t.Errorf("durable %v\nwant    %v", u.durable, want)
	}
	if rewinds < 2*records/3 {
		t.Errorf("only %d rewinds: the test shows little", rewinds)
	}
}

// What is left to rebuild is told, and is nothing when the first row comes.
func TestRebuildIsTold(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 20)
	m := newMemory()
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 20)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	produce(t, topic, 20, 1)
	m = newMemory()
	cfg := config(t, topic, group, m)
	cfg.MaxPoll = 2
	var left []int64
	gate := make(chan struct{})
	cfg.Processors = func(schemas.Source) []ingest.Processor { return []ingest.Processor{&historian{rows: gate}} }
	r = run(t, cfg)
	for range 10 {
		gate <- struct{}{}
		left = append(left, r.Stats().Rebuilding)
	}
	close(gate)
	waitRows(t, m, 1)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if left[0] != 16 || !slices.IsSortedFunc(left, func(a, b int64) int { return int(b - a) }) || r.Stats().Rebuilding != 0 {
		t.Errorf("left %v, in the end %d", left, r.Stats().Rebuilding)
	}
}

// historian waits before it remembers a row.
type historian struct{ rows chan struct{} }

func (h *historian) History() int64 { return 16 }

func (h *historian) Remember(b *schemas.Batch) {
	for range b.Len() {
		<-h.rows
	}
}

func (h *historian) Process(*schemas.Batch) error { return nil }
