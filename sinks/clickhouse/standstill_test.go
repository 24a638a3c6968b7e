package clickhouse_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	engine "github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// The engine's process is stopped while rows arrive, for longer than several attempts last, and goes on.
func TestTheEngineStandsStillUnderLoad(t *testing.T) {
	server, err := engine.Start(t.Context(), engine.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: "p", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := newClient(t, chhttp.Config{Addr: server.Addr(), User: "u", Password: "p", Database: "coldstream"})
	if _, err := chschema.Migrate(t.Context(), client, chschema.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		t.Fatal(err)
	}
	h := newHot(t, nil, func(c *clickhouse.Config) {
		c.Client, c.MaxRows, c.MaxBlocks, c.Timeout = client, 10, 3, 300*time.Millisecond
	})
	child, err := os.FindProcess(server.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	all, written := docs(200), 0
	for ; !h.sink.Pressure(); written += 10 {
		h.write(all[written : written+10]...)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if err := h.sink.Tick(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if h.sink.Stats().Retries < 4 {
			return errors.New("not tried again yet")
		}
		return nil
	})
	if s := h.sink.Stats(); written != 30 || s.Held != 3 || h.committed != 0 {
		t.Fatalf("%d rows written, %+v, committed %d", written, s, h.committed)
	}
	if err := child.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for ; written < len(all); written += 10 {
		h.relieve()
		h.write(all[written : written+10]...)
	}
	h.flush()
	h.shards = []*chhttp.Client{client}
	if n := len(h.rows("messages")); n != len(all) {
		t.Fatalf("%d messages", n)
	}
}

// appliedTooLate lets the server insert, and answers after the sink has given up on it.
func appliedTooLate(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	w, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, w.Body)
	w.Body.Close()
	<-r.Context().Done()
	return nil, errors.Join(err, r.Context().Err())
}

// For a while two workers hold one partition, one further back than the other: each inserts in blocks of its own.
func TestTwoWorkersWithOnePartition(t *testing.T) {
	l := newLab(t, 1)
	l.reset()
	l.now = moments[3]
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf(`{"event_id":"e-%d","channel_id":"5","user_id":"9","content":"text %d","timestamp":%d}`, i, i, 1_790_000_000_000+i))
		if i%3 == 0 {
			all = append(all, fmt.Sprintf(`{"event_id":"x-%d","type":"message.edited","channel_id":"5","message_id":"%d","target_message_id":"e-%d","resolves":"y","content":"edited %d","timestamp":%d}`,
				i, schemas.DiscordEpoch.OpaqueID(int64(1_790_000_000_000+i), schemas.HashRef(fmt.Sprint("e-", i))), i, i, 1_790_000_100_000+i))
		}
	}
	other := l.another(7)
	var wg sync.WaitGroup
	wg.Go(func() {
		for from := 0; from < len(all); from += 9 {
			other.write(all[from:min(from+9, len(all))]...)
		}
		other.flush()
	})
	for from := 0; from < len(all); from += 25 {
		l.write(t, 0, all[from:min(from+25, len(all))]...)
	}
	l.flush()
	wg.Wait()
	l.exec("OPTIMIZE TABLE state FINAL")
	want := l.model.rows(false)
	for i := range want { // the other worker's policy leaves texts as they are; the greater text of one version wins
		want[i].Content = max(want[i].Content, want[i].Content[:len(want[i].Content)-len(" under 0")])
	}
	if got := l.rows("messages"); fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 60 {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}
