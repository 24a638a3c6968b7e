package clickhouse_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	engine "github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// newSharded is a sink over shards, each a database of its own, behind transports that may fail.
func newSharded(t testing.TB, transports []http.RoundTripper, change func(*clickhouse.Config)) *hot {
	t.Helper()
	var outside, through []*chhttp.Client
	for _, transport := range transports {
		a := testkit.ClickHouse(t)
		access := chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database}
		c := newClient(t, access)
		if _, err := chschema.Migrate(t.Context(), c, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
			t.Fatal(err)
		}
		access.Transport = transport
		outside, through = append(outside, c), append(through, newClient(t, access))
	}
	return overShards(t, outside, through, change)
}

func overShards(t testing.TB, outside, through []*chhttp.Client, change func(*clickhouse.Config)) *hot {
	t.Helper()
	h := &hot{t: t, source: schemas.Source{Topic: "events"}, client: outside[0], shards: outside}
	config := clickhouse.Config{
		Shards: through, Epoch: schemas.DiscordEpoch, MaxAge: time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		DeadLetter: h.deadLetter,
	}
	if change != nil {
		change(&config)
	}
	h.start(config)
	return h
}

// chat is n messages in 20 channels of a guild, some of the channels in the second of two shards.
func chat(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"event_id":"e-%d","guild_id":"7","guild_name":"g","channel_id":"%d","user_id":"9","content":"text %d","timestamp":%d}`, i, i%20, i, 1_700_000_000_000+i)
	}
	return out
}

// count asks every shard.
func (h *hot) count(what string) (n []int) {
	h.t.Helper()
	for _, c := range h.shards {
		answer, err := c.Query(h.t.Context(), "SELECT "+what)
		if err != nil {
			h.t.Fatal(err)
		}
		v, err := strconv.Atoi(strings.TrimSpace(string(answer)))
		if err != nil {
			h.t.Fatal(err)
		}
		n = append(n, v)
	}
	return n
}

// wantOnce fails unless the shards hold n messages together, each row once, even before parts merge.
func (h *hot) wantOnce(n int) {
	h.t.Helper()
	sum := 0
	for _, rows := range h.count("count() FROM state") {
		if rows == 0 {
			h.t.Error("a shard has no row")
		}
		sum += rows
	}
	if got := len(h.rows("messages")); got != n || sum != n {
		h.t.Fatalf("%d messages in %d rows, want %d", got, sum, n)
	}
}

func TestRowsGoStraightIntoTheShardOfTheirChannel(t *testing.T) {
	h := newSharded(t, make([]http.RoundTripper, 3), nil)
	h.write(append(chat(100),
		`{"event_id":"d-1","target_message_id":"nowhere","type":"message.deleted","timestamp":1700000000000}`,
		`{"event_id":"d-2","channel_id":"3","type":"channel.deleted","timestamp":1700000000000}`)...)
	h.flush()
	h.wantOnce(100)
	for i, c := range h.shards {
		rows, err := chhttp.Select[struct {
			Channel int64 `json:"channel_id"`
		}](t.Context(), c, "SELECT DISTINCT channel_id FROM state")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if chschema.ShardOf(r.Channel, 3) != i {
				t.Errorf("channel %d is on shard %d", r.Channel, i)
			}
		}
	}
	for what, want := range map[string]string{
		"count() FROM channels FINAL": "[20 20 20]", "count() FROM names FINAL": "[1 1 1]", "count() FROM removals": "[1 1 1]", "count() FROM unresolved": "[1 0 0]",
	} {
		if got := fmt.Sprint(h.count(what)); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if s := h.sink.Stats(); s.Rows != 100 || s.Waiting != 1 || s.Wide != 1 {
		t.Errorf("%+v", s)
	}
}

// A shard away: nothing is committed, reading stops, the other shards are not sent theirs again; then all arrives.
func TestAShardThatIsAwayHoldsTheOffsets(t *testing.T) {
	away := &fault{down: true}
	h := newSharded(t, []http.RoundTripper{nil, away}, func(c *clickhouse.Config) { c.MaxRows, c.MaxBlocks = 40, 3 })
	all, written := chat(400), 0
	for ; !h.sink.Pressure(); written += 40 {
		h.write(all[written : written+40]...)
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		if err := h.sink.Tick(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if n := h.count("count() FROM state"); away.attempts() < 10 || n[0] == 0 {
			return fmt.Errorf("rows %v, %d attempts", n, away.attempts())
		}
		return nil
	})
	if n := h.count("count() FROM state"); h.committed != 0 || !h.sink.Pressure() || n[1] != 0 || written != 120 {
		t.Fatalf("%d written, committed %d, pressure %v, rows %v", written, h.committed, h.sink.Pressure(), n)
	}
	away.setDown(false)
	for ; written < len(all); written += 40 {
		h.relieve()
		h.write(all[written : written+40]...)
	}
	h.flush()
	h.wantOnce(400)
}

func TestAShardThatAnswersLateOrWronglyIsAskedAgain(t *testing.T) {
	for name, act := range map[string]func(*http.Request, http.RoundTripper) (*http.Response, error){
		"applied and late":  appliedTooLate,
		"applied and reset": appliedThenReset,
		"of a replica":      answer(500, "319", "Code: 319. DB::Exception: Unknown status, client must retry. (UNKNOWN_STATUS_OF_INSERT)"),
	} {
		t.Run(name, func(t *testing.T) {
			f := &fault{queue: []func(*http.Request, http.RoundTripper) (*http.Response, error){act, act}}
			h := newSharded(t, []http.RoundTripper{nil, f}, func(c *clickhouse.Config) { c.Timeout = 300 * time.Millisecond })
			h.write(chat(60)...)
			h.flush()
			h.wantOnce(60)
			if s := h.sink.Stats(); s.Retries < 2 || s.Rows != 60 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestARowThatOneShardRefusesIsADeadLetter(t *testing.T) {
	h := newSharded(t, make([]http.RoundTripper, 2), nil)
	h.exec("ALTER TABLE state ADD CONSTRAINT clean CHECK tupleElement(content, 'text') NOT IN ('text 2', 'text 3')") // of both shards
	h.write(chat(40)...)
	h.flush()
	h.wantOnce(38)
	if len(h.letters) != 2 {
		t.Fatalf("%+v", h.letters)
	}
	for _, l := range h.letters {
		if l.ID() != "events:0:2" && l.ID() != "events:0:3" {
			t.Errorf("%+v", l)
		}
	}
}

func TestAShardThatAsksForAnOperatorStopsTheSinkAtOnce(t *testing.T) {
	full := &fault{queue: []func(*http.Request, http.RoundTripper) (*http.Response, error){answer(500, "243", "Code: 243. DB::Exception: no.")}}
	h := newSharded(t, []http.RoundTripper{&fault{down: true}, full}, nil) // the other is away, and would be for ever
	h.write(chat(20)...)
	testkit.Eventually(t, 10*time.Second, func() error {
		err := h.sink.Tick(t.Context(), time.Now().Add(time.Hour))
		if !errors.Is(err, clickhouse.ErrStop) || !strings.Contains(err.Error(), "shard 2: ") || !strings.Contains(err.Error(), "disk is full") {
			return fmt.Errorf("%v", err)
		}
		return nil
	})
	if h.committed != 0 {
		t.Fatalf("offset %d was committed", h.committed)
	}
}

// replica is a proxy to a server, that can be down or read only: two of them are replicas that always agree.
type replica struct {
	*httptest.Server
	state atomic.Int32 // 0 well, 1 down, 2 read only
	asked atomic.Int32
}

func newReplica(t testing.TB, addr string) *replica {
	r := &replica{}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.asked.Add(1)
		switch r.state.Load() {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.Header().Set("X-ClickHouse-Exception-Code", "242")
			http.Error(w, "Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)", http.StatusInternalServerError)
		default:
			proxy.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func TestAReplicaThatIsAwayGivesItsPlaceToAnother(t *testing.T) {
	var outside, through []*chhttp.Client
	var replicas []*replica
	for range 2 {
		a := testkit.ClickHouse(t)
		access := chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database}
		c := newClient(t, access)
		if _, err := chschema.Migrate(t.Context(), c, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
			t.Fatal(err)
		}
		one, two := newReplica(t, a.Addr), newReplica(t, a.Addr)
		access.Addr = one.Listener.Addr().String() + " " + two.Listener.Addr().String()
		replicas = append(replicas, one, two)
		outside, through = append(outside, c), append(through, newClient(t, access))
	}
	h := overShards(t, outside, through, nil)
	all := chat(300)
	for round, states := range [][4]int32{{0, 0, 0, 0}, {1, 0, 0, 2}, {0, 1, 2, 0}, {2, 0, 1, 0}, {0, 1, 0, 1}, {0, 0, 0, 0}} {
		for i, state := range states {
			replicas[i].state.Store(state)
		}
		h.write(all[round*50 : round*50+50]...)
		h.flush()
	}
	h.wantOnce(300)
	for i, r := range replicas {
		if r.asked.Load() == 0 {
			t.Errorf("replica %d was never asked", i)
		}
	}
}

// Two engines, each with a shard; one is killed while rows arrive.
func TestAShardsEngineIsKilledWhileRowsArrive(t *testing.T) {
	var servers []*engine.Server
	var clients []*chhttp.Client
	var second engine.Config
	for range 2 {
		config := engine.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: "p", Log: slog.New(slog.DiscardHandler)}
		s, err := engine.Start(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		config.Addr = s.Addr()
		c := newClient(t, chhttp.Config{Addr: s.Addr(), User: "u", Password: "p", Database: "coldstream"})
		if _, err := chschema.Migrate(t.Context(), c, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
			t.Fatal(err)
		}
		servers, clients, second = append(servers, s), append(clients, c), config
	}
	defer func() {
		for _, s := range servers {
			s.Close()
		}
	}()
	h := overShards(t, clients, clients, func(c *clickhouse.Config) { c.MaxRows, c.Timeout = 40, 5*time.Second })
	all := chat(800)
	for i := 0; i < len(all); i += 40 {
		if i == 240 {
			child, err := os.FindProcess(servers[1].PID())
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Kill(); err != nil {
				t.Fatal(err)
			}
			<-servers[1].Done()
			for !h.sink.Pressure() {
				h.write(all[i : i+40]...)
				i += 40
			}
			if servers[1], err = engine.Start(t.Context(), second); err != nil {
				t.Fatal(err)
			}
		}
		h.relieve()
		h.write(all[i : i+40]...)
	}
	h.flush()
	h.wantOnce(800)
}
