package search_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/search"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Analysts type what they look for into SQL: its functions must say what this package says.
func TestTheFunctionsInSQLSayTheSame(t *testing.T) {
	a := testkit.ClickHouse(t)
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdle()
	if _, err := clickhouse.Migrate(t.Context(), c, clickhouse.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, some := range texts {
		all = append(append(all, some.text), some.yes...)
	}
	all = append(all, "", "has:link", "https://x.org", strings.Repeat("é", 100)+"a", strings.Repeat("日", 50), `"a b" c "d`, "a\u0301\u0300", "1\u0301", "\u0301 a", "ーあー", "aー")
	all = append(all, mixtures(300)...)
	type row struct {
		Indexed string   `json:"indexed"`
		Tokens  []string `json:"tokens"`
		Phrases []string `json:"phrases"`
	}
	quoted := make([]string, len(all))
	for i, text := range all {
		quoted[i] = chhttp.Quote(text)
	}
	rows, err := chhttp.Select[row](t.Context(), c, "SELECT searchIndexed(t) AS indexed, searchTokens(t) AS tokens, searchPhrases(t) AS phrases FROM (SELECT arrayJoin(["+strings.Join(quoted, ",")+"]) AS t)")
	if err != nil || len(rows) != len(all) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range rows {
		if want := string(search.AppendIndexed(nil, []byte(all[i]))); r.Indexed != want {
			t.Errorf("%q: SQL makes %q, Go %q", all[i], r.Indexed, want)
		}
		q := search.Parse(all[i])
		for _, token := range q.Tokens {
			if !slices.Contains(r.Tokens, token) {
				t.Errorf("%q: SQL looks for %q, Go for %q", all[i], r.Tokens, q.Tokens)
			}
		}
		for _, p := range q.Phrases {
			if !slices.Contains(r.Phrases, p) {
				t.Errorf("%q: SQL looks for %q, Go for %q", all[i], r.Phrases, q.Phrases)
			}
		}
	}
}

// mixtures are texts of the letters of one script, English ones and punctuation, the same in every run. Scripts are not
// mixed further: what a Thai vowel means after a Hebrew letter is nobody's question.
func mixtures(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]string, n)
	for i := range out {
		letters := []rune(texts[i%len(texts)].text)
		var b strings.Builder
		for range 1 + r.IntN(30) {
			if r.IntN(4) == 0 {
				b.WriteByte(" ,.-abXY09\""[r.IntN(11)])
				continue
			}
			at := r.IntN(len(letters))
			for end := at + 1 + r.IntN(4); at < min(end, len(letters)); at++ {
				b.WriteRune(letters[at])
			}
		}
		out[i] = b.String()
	}
	return out
}
