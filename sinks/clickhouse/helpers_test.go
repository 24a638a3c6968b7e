package clickhouse_test

import (
	"cmp"
	"context"
	"flag"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// TestMain makes the model's default run short; -rapid.checks=N makes it long.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "8"); err != nil {
		panic(err)
	}
	testkit.Main(m)
}

// hot is a sink on a fresh database, driven by hand as the pipeline would.
type hot struct {
	t      testing.TB
	sink   *clickhouse.Sink
	client *chhttp.Client   // outside of any fault
	shards []*chhttp.Client // the same of each shard, the first being client; one where there are none
	source schemas.Source
	next   int64

	mu        sync.Mutex
	committed int64
	letters   []schemas.DeadLetter
}

func newHot(t testing.TB, transport http.RoundTripper, change func(*clickhouse.Config)) *hot {
	t.Helper()
	a := testkit.ClickHouse(t)
	access := chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database}
	h := &hot{t: t, source: schemas.Source{Topic: "events", Partition: 0}}
	h.client = newClient(t, access)
	h.shards = []*chhttp.Client{h.client}
	if _, err := chschema.Migrate(t.Context(), h.client, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		t.Fatal(err)
	}
	access.Transport = transport
	config := clickhouse.Config{
		Client: newClient(t, access), Epoch: schemas.DiscordEpoch, MaxAge: time.Millisecond,
		Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		DeadLetter: h.deadLetter,
	}
	if change != nil {
		change(&config)
	}
	h.start(config)
	return h
}

// start makes the sink.
func (h *hot) start(config clickhouse.Config) {
	h.t.Helper()
	var err error
	if h.sink, err = clickhouse.New(config); err != nil {
		h.t.Fatal(err)
	}
	h.open()
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = h.sink.Close(ctx)
	})
}

func (h *hot) deadLetter(_ context.Context, letters []schemas.DeadLetter) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, letters...)
	return nil
}

// another is a second worker on the same database, with blocks of so many rows.
func (h *hot) another(rows int) *hot {
	h.t.Helper()
	o := &hot{t: h.t, source: h.source, client: h.client, shards: h.shards}
	o.start(clickhouse.Config{
		Client: h.client, Epoch: schemas.DiscordEpoch, MaxRows: rows, MaxAge: time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		DeadLetter: o.deadLetter,
	})
	return o
}

func newClient(t testing.TB, c chhttp.Config) *chhttp.Client {
	t.Helper()
	client, err := chhttp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdle)
	return client
}

func (h *hot) open() {
	h.t.Helper()
	commit := func(_ context.Context, ranges []schemas.Range, _ ...*kgo.Record) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, r := range ranges {
			if r.From != h.committed {
				h.t.Errorf("committed from %d, and %d was the last", r.From, h.committed)
			}
			h.committed = r.Next
		}
		return nil
	}
	if err := h.sink.Open(h.t.Context(), commit); err != nil {
		h.t.Fatal(err)
	}
}

// write sends documents as one range.
func (h *hot) write(docs ...string) {
	h.t.Helper()
	if err := h.try(docs...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hot) try(docs ...string) error {
	h.t.Helper()
	return h.recorded(time.Now(), docs...)
}

// recorded sends documents as one range of records of this time.
func (h *hot) recorded(when time.Time, docs ...string) error {
	h.t.Helper()
	b := schemas.GetBatch()
	defer b.Release()
	decoder := codec.JSON{Epoch: schemas.DiscordEpoch}
	for i, doc := range docs {
		at := codec.Origin{Offset: h.next + int64(i), Time: when.UnixMicro()}
		if err := decoder.Decode(b, []byte(doc), at); err != nil {
			h.t.Fatalf("%s: %v", doc, err)
		}
	}
	return h.put(b)
}

// writeBatch sends rows as one range.
func (h *hot) writeBatch(b *schemas.Batch) {
	h.t.Helper()
	for i := range b.Len() {
		b.Offset[i] = h.next + int64(i)
	}
	if err := h.put(b); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hot) put(b *schemas.Batch) error {
	n := int64(b.Len())
	r := schemas.Range{Source: h.source, From: h.next, Next: h.next + n, Events: n}
	h.next = r.Next
	return h.sink.Write(h.t.Context(), b, r, nil)
}

// flush ticks until everything is committed.
func (h *hot) flush() {
	h.t.Helper()
	testkit.Eventually(h.t, 30*time.Second, func() error {
		if err := h.sink.Tick(h.t.Context(), time.Now().AddDate(100, 0, 0)); err != nil {
			h.t.Fatal(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.committed < h.next {
			return errBehind
		}
		return nil
	})
}

// relieve ticks until the sink takes more.
func (h *hot) relieve() {
	h.t.Helper()
	testkit.Eventually(h.t, time.Minute, func() error {
		if err := h.sink.Tick(h.t.Context(), time.Now()); err != nil {
			h.t.Fatal(err)
		}
		if h.sink.Pressure() {
			return errBehind
		}
		return nil
	})
}

var errBehind = context.DeadlineExceeded

// message is a row of the views; times in Unix microseconds, 0 for none.
type message struct {
	MessageID  int64  `json:"message_id"`
	GuildID    int64  `json:"guild_id"`
	ChannelID  int64  `json:"channel_id"`
	UserID     int64  `json:"user_id"`
	Content    string `json:"content"`
	CreatedAt  int64  `json:"created_at"`
	EditedAt   int64  `json:"edited_at"`
	DeletedAt  int64  `json:"deleted_at"`
	Extra      string `json:"extra"`
	MessageRef string `json:"message_ref"`
}

// rows are those of all shards.
func (h *hot) rows(view string) []message {
	h.t.Helper()
	var all []message
	for _, c := range h.shards {
		rows, err := chhttp.Select[message](h.t.Context(), c, `SELECT message_id, ifNull(guild_id, 0) AS guild_id, channel_id,
ifNull(user_id, 0) AS user_id, content, toUnixTimestamp64Micro(created_at) AS created_at,
ifNull(toUnixTimestamp64Micro(edited_at), 0) AS edited_at, ifNull(toUnixTimestamp64Micro(deleted_at), 0) AS deleted_at,
extra, ifNull(message_ref, '') AS message_ref FROM `+view)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, byKey)
	return all
}

func byKey(a, b message) int {
	return cmp.Or(cmp.Compare(a.ChannelID, b.ChannelID), cmp.Compare(a.MessageID, b.MessageID), cmp.Compare(a.MessageRef, b.MessageRef))
}

// exec runs a statement on every shard.
func (h *hot) exec(sql string) {
	h.t.Helper()
	for _, c := range h.shards {
		if err := c.Exec(h.t.Context(), sql); err != nil {
			h.t.Fatal(err)
		}
	}
}
