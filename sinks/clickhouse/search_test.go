package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	chschema "github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// find lists the contents that a search finds.
func (h *hot) find(words string) string {
	h.t.Helper()
	return strings.TrimSpace(h.query("SELECT content FROM search_messages(words = " + chhttp.Quote(words) + ") ORDER BY message_id"))
}

func (h *hot) wantFound(words, want string) {
	h.t.Helper()
	if got := h.find(words); got != want {
		h.t.Errorf("%q: found %q, want %q", words, got, want)
	}
}

const saidAt = `"channel_id":"5","user_id":"9","timestamp":"2026-11-02T09:00:00Z"`

func said(id, text string) string {
	return fmt.Sprintf(`{"event_id":%q,%s,"content":%q}`, id, saidAt, text)
}

func TestTextThatWasEditedAwayOrDeletedIsNotFound(t *testing.T) {
	h := newHot(t, nil, nil)
	id := schemas.DiscordEpoch.ID(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).UnixMilli(), 1)
	change := func(n int64, kind, more string) string {
		return fmt.Sprintf(`{"event_id":"%d","type":"message.%s","channel_id":"5","message_id":"%d","user_id":"9"%s}`, id+n, kind, id, more)
	}
	for _, merged := range []bool{false, true} {
		step := func(doc string) {
			h.write(doc)
			h.flush()
			if merged {
				h.exec("OPTIMIZE TABLE state FINAL")
			}
		}
		h.exec("TRUNCATE TABLE state")
		step(change(0, "created", `,"content":"the Secret word"`))
		h.wantFound("secret", "the Secret word")
		h.wantFound(`"secret word"`, "the Secret word")
		step(change(1, "edited", `,"content":"nothing to see, https://example.org"`))
		h.wantFound("secret", "")
		h.wantFound("the word", "")
		h.wantFound("NOTHING example.org", "nothing to see, https://example.org")
		step(change(2, "deleted", ""))
		h.wantFound("nothing", "")
		step(change(3, "restored", ""))
		h.wantFound("nothing", "nothing to see, https://example.org")
		step(change(4, "edited", `,"content":"..."`)) // no word is left
		h.wantFound("nothing", "")
		h.wantFound("", "")
		step(change(1, "edited", `,"content":"nothing to see, https://example.org"`)) // it comes again
		h.wantFound("nothing", "")
		if n := h.query("SELECT count() FROM messages WHERE content = '...'"); n != "1\n" {
			t.Fatalf("%s messages", n)
		}
	}
}

// An erasure that writes the content alone hides the words too.
func TestWordsOfAnotherVersionOfTheContentAreNotFound(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(said("m", "my secret"))
	h.flush()
	h.exec("INSERT INTO state (channel_id, inv, ref_hash, late, week, content) SELECT channel_id, inv, ref_hash, late, week, (2, 1, 1, '[REDACTED]', 0) FROM state")
	h.wantFound("secret", "")
	if got := h.query("SELECT content FROM messages"); got != "[REDACTED]\n" {
		t.Fatal(got)
	}
}

func TestSearchWithinAChannelByAuthorAndWithLinks(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"a","guild_id":"1","channel_id":"5","user_id":"9","content":"apples https://a.org","timestamp":"2026-11-02T09:00:00Z"}`,
		`{"event_id":"b","guild_id":"1","channel_id":"6","user_id":"9","content":"apples and pears","timestamp":"2026-11-03T09:00:00Z"}`,
		`{"event_id":"c","guild_id":"2","channel_id":"7","user_id":"8","content":"apples","timestamp":"2026-11-04T09:00:00Z"}`,
	)
	h.flush()
	for where, want := range map[string]string{
		"channel_id = 6":                      "b",
		"user_id = 9":                         "ab",
		"created_at >= '2026-11-03 00:00:00'": "bc",
		"message_ref = 'c'":                   "c",
		"channel_id IN (SELECT channel_id FROM channels WHERE guild_id = 1)": "ab",
	} {
		got := h.query("SELECT groupConcat('')(message_ref) FROM (SELECT message_ref FROM search_messages(words = 'apples') WHERE " + where + " ORDER BY message_ref)")
		if got != want+"\n" {
			t.Errorf("%s: %q, want %q", where, got, want)
		}
	}
	if got := h.query("SELECT message_ref FROM messages_with_links"); got != "a\n" {
		t.Errorf("with links: %q", got)
	}
}

func TestTheIndexOfWordsIsUsed(t *testing.T) {
	h := newHot(t, nil, nil)
	h.exec(`INSERT INTO state (channel_id, inv, late, week, author, content, search) SELECT 5, -number, 0, 20261102, (0, number, 0, 1, '', 1, 0),
(0, number, 0, concat('word', toString(number)), 0), (0, number, 0, concat(' word', toString(number), ' ')) FROM numbers(20000)`)
	h.wantFound("word777", "word777")
	plan := h.query("EXPLAIN indexes = 1 SELECT content FROM search_messages(words = 'word777')")
	if !strings.Contains(plan, "in 1-element set") || !strings.Contains(plan, "Granules: 1/") { // the goldens of schemas/clickhouse say more
		t.Errorf("the plan does not read by keys:\n%s", plan)
	}
}

func TestSearchCanBeSwitchedOffAndOn(t *testing.T) {
	h := newHot(t, nil, func(c *clickhouse.Config) { c.NoSearch = true })
	params := chschema.Params{Epoch: schemas.DiscordEpoch, NoSearch: true}
	migrate := func() {
		t.Helper()
		if _, err := chschema.Migrate(t.Context(), h.client, params); err != nil {
			t.Fatal(err)
		}
	}
	migrate()
	h.write(said("m", "Größe zählt, https://x.org"))
	h.flush()
	if got := h.query("SELECT tupleElement(search, 'rank'), tupleElement(search, 'text') FROM state"); got != "-1\t\n" {
		t.Fatalf("words were made: %q", got)
	}
	if _, err := h.client.Query(t.Context(), "SELECT * FROM search_messages(words = 'x')"); err == nil {
		t.Fatal("a search is answered without an index")
	}
	params.NoSearch = false
	migrate()
	testkit.Eventually(t, 10*time.Second, func() error { // a mutation makes the words of what there was
		if got := h.find("grosse zahlt"); got != "Größe zählt, https://x.org" {
			return fmt.Errorf("found %q", got)
		}
		return nil
	})
	if got := h.query("SELECT count() FROM messages_with_links"); got != "1\n" {
		t.Errorf("with links: %q", got)
	}
}
