package clickhouse_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// A topic that is made again has the same offsets, and so has one of this name in another cluster: their blocks are not
// repeats.
func TestATopicMadeAgainLosesNoRows(t *testing.T) {
	first := schemas.Source{Cluster: "one", Topic: "events", TopicID: "11111111-1111-1111-1111-111111111111"}
	for name, second := range map[string]schemas.Source{
		"made again":      {Cluster: first.Cluster, Topic: first.Topic, TopicID: "22222222-2222-2222-2222-222222222222"},
		"another cluster": {Cluster: "two", Topic: first.Topic, TopicID: first.TopicID},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHot(t, nil, nil)
			all := docs(2)
			for i, source := range []schemas.Source{first, second} {
				h.source, h.next, h.committed = source, 0, 0
				h.open()
				h.write(all[i], fmt.Sprintf(`{"event_id":"d-%d","target_message_id":"m","timestamp":"2026-11-01T00:00:00Z"}`, i))
				h.flush()
			}
			if n := len(h.rows("messages")); n != 2 {
				t.Errorf("%d messages, want 2", n)
			}
			if n := h.query("SELECT count() FROM unresolved FINAL"); n != "2\n" {
				t.Errorf("%s wait, want 2", n)
			}
		})
	}
}

// The time of a record is what its producer says.
func TestRecordsOfAnyTimeAreTaken(t *testing.T) {
	h := newHot(t, nil, nil)
	for i, c := range []struct {
		year       int
		kept, text string
	}{
		{-200_000, "2026-11-01 00:00:00.000", "2026-11-01T00:00:00Z"}, // a negative time is unknown; the event's own counts
		{1960, "1950-11-01 00:00:00.000", "1950-11-01T00:00:00Z"},
		{2200, "2200-01-01 00:00:00.000", "2026-11-01T00:00:00Z"},
		{2300, "2299-12-31 23:59:59.999", "2084-08-01T00:00:00Z"},
		{9999, "2299-12-31 23:59:59.999", "2026-11-01T00:00:00Z"},
		{12_000, "2299-12-31 23:59:59.999", "2026-11-01T00:00:00Z"},
		{250_000, "2299-12-31 23:59:59.999", "1945-08-01T00:00:00Z"},
	} {
		doc := fmt.Sprintf(`{"event_id":"e%d","target_message_id":"m1","timestamp":%q}`, i, c.text)
		made := fmt.Sprintf(`{"event_id":"c%d","channel_id":"5","content":"x","timestamp":%q}`, i, c.text)
		if err := h.recorded(time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC), doc, made); err != nil {
			t.Fatal(err)
		}
		h.flush()
		if seen := h.query(fmt.Sprintf("SELECT seen FROM unresolved WHERE event_id = 'e%d'", i)); seen != c.kept+"\n" {
			t.Errorf("year %d: seen is %s", c.year, seen)
		}
		at, err := time.Parse(time.RFC3339, c.text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(h.rows("messages"), func(m message) bool {
			return m.MessageRef == fmt.Sprintf("c%d", i) && m.CreatedAt == at.UnixMicro()
		}) {
			t.Errorf("year %d: no message of %s", c.year, c.text)
		}
	}
	if s := h.sink.Stats(); s.Retries != 0 || s.Refused != 0 || s.Waiting != 7 {
		t.Errorf("%+v", s)
	}
}

// spread is a message each week, from that many weeks ago until as many from now.
func spread(weeks int) []string {
	var all []string
	for i := -weeks; i < weeks; i++ {
		id := schemas.DiscordEpoch.ID(time.Now().AddDate(0, 0, 7*i).UnixMilli(), 7)
		all = append(all, fmt.Sprintf(`{"event_id":"%d","channel_id":"5","user_id":"1","content":"x"}`, id))
	}
	return all
}

func TestMessagesOfManyWeeksLieInFewPartitions(t *testing.T) {
	h := newHot(t, nil, nil)
	if err := h.recorded(time.Now().AddDate(4, 0, 0), spread(150)...); err != nil {
		t.Fatal(err)
	}
	h.flush()
	if n := len(h.rows("messages")); n != 300 {
		t.Errorf("%d messages", n)
	}
	if s := h.sink.Stats(); s.Retries != 0 || s.Refused != 0 {
		t.Errorf("%+v", s)
	}
	if n := h.query("SELECT uniqExact(late, week) <= 8, maxIf(week, late = 0) <= toYYYYMMDD(now() + INTERVAL 7 DAY) FROM state"); n != "1\t1\n" {
		t.Errorf("few partitions, none of a week far ahead: %s", n)
	}
}

// narrow is a server that takes one partition an insert.
type narrow struct{}

func (narrow) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	q := r.URL.Query()
	q.Set("max_partitions_per_insert_block", "1")
	r.URL.RawQuery = q.Encode()
	return http.DefaultTransport.RoundTrip(r)
}

func TestAnInsertIntoTooManyPartitionsIsSplit(t *testing.T) {
	h := newHot(t, narrow{}, nil)
	if err := h.recorded(time.Now().AddDate(1, 0, 0), spread(3)...); err != nil {
		t.Fatal(err)
	}
	h.flush()
	if n := len(h.rows("messages")); n != 6 {
		t.Errorf("%d messages", n)
	}
	if s := h.sink.Stats(); s.Retries != 0 || s.Refused != 0 || s.Rows != 6 {
		t.Errorf("%+v", s)
	}
}

func TestRefusedRowsOfTheOtherTablesBecomeDeadLettersToo(t *testing.T) {
	h := newHot(t, nil, nil)
	h.exec("ALTER TABLE unresolved ADD CONSTRAINT clean CHECK target NOT IN ('m2', 'm4')")
	h.exec("ALTER TABLE names ADD CONSTRAINT clean CHECK name != 'user 5'")
	h.exec("ALTER TABLE state ADD CONSTRAINT clean CHECK tupleElement(content, 'text') != 'text 5'")
	var all []string
	for i := range 5 {
		all = append(all, fmt.Sprintf(`{"event_id":"e%d","target_message_id":"m%d","timestamp":"2026-11-01T00:00:00Z"}`, i, i))
	}
	for i := 5; i < 8; i++ {
		all = append(all, fmt.Sprintf(`{"event_id":"c%d","channel_id":"1","user_id":"%d","user_name":"user %d","content":"text %d","timestamp":"2026-11-01T00:00:00Z"}`, i, i, i, i))
	}
	h.write(all...)
	h.flush()
	var letters []string
	for _, l := range h.letters {
		letters = append(letters, l.ID())
	}
	if want := []string{"events:0:2", "events:0:4", "events:0:5"}; !slices.Equal(letters, want) {
		t.Errorf("letters %q, want %q", letters, want)
	}
	if got := h.query("SELECT (SELECT count() FROM unresolved), (SELECT count() FROM names), (SELECT count() FROM state)"); got != "3\t2\t2\n" {
		t.Errorf("rows are %q", got)
	}
	if s := h.sink.Stats(); s.Waiting != 3 || s.Rows != 2 || s.Refused != 4 {
		t.Errorf("%+v", s)
	}
}

func (h *hot) query(sql string) string {
	h.t.Helper()
	answer, err := h.client.Query(h.t.Context(), sql)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(answer)
}
