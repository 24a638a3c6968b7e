package processors_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

func env(name string) (string, bool) { return strings.Repeat("k", 32), strings.HasPrefix(name, "KEY") }

func load(t testing.TB, doc string) (*processors.Program, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.yaml")
	require.NoError(t, os.WriteFile(file, []byte(doc), 0o600))
	return processors.Load(file, processors.LoadOptions{Lookup: env})
}

func chain(t testing.TB, doc string) (*processors.Chain, *processors.Meter) {
	t.Helper()
	p, err := load(t, doc)
	require.NoError(t, err)
	m := &processors.Meter{}
	c, err := p.Chain(m)
	require.NoError(t, err)
	return c, m
}

// shout is a processor of a user's.
type shout struct {
	Suffix string `yaml:"suffix"`
	fail   int
}

func (s *shout) Process(b *schemas.Batch) error {
	for i := range b.Content {
		switch text := b.String(b.Content[i]); {
		case text == "fail" && s.fail == 0:
			s.fail++
			return errors.New("the dictionary is away")
		case text == "panic":
			panic("a bug")
		case text == "refuse":
			b.Refuse(i, schemas.Refusef("shout", "this one is not to be shouted"))
		default:
			b.Content[i] = b.AddText([]byte(strings.ToUpper(text) + s.Suffix))
		}
	}
	return nil
}

func init() {
	custom.Register("shout", func(with custom.Options) (custom.Processor, error) {
		s := &shout{Suffix: "!"}
		if err := with.Decode(s); err != nil {
			return nil, err
		}
		if s.Suffix == "?" {
			return nil, errors.New("suffix: a question is no shout")
		}
		return s, nil
	})
	custom.Register("breaks", func(custom.Options) (custom.Processor, error) { return truncating{}, nil })
}

type truncating struct{}

func (truncating) Process(b *schemas.Batch) error { b.Truncate(0); return nil }

// texts is what is left of a batch, in short.
func texts(b *schemas.Batch) string {
	var out []string
	for i := range b.Len() {
		s := b.String(b.Content[i])
		b.Routes(i, func(topic string) { s += " →" + topic })
		if b.Leaves(i) {
			s += " leaves"
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func contents(texts ...string) *schemas.Batch {
	b := &schemas.Batch{}
	for i, text := range texts {
		b.Append(&schemas.Row{
			EventID: int64(i + 1), Offset: int64(100 + i), Type: schemas.TypeCreated, Content: []byte(text), Fields: schemas.FieldContent | schemas.FieldChannel | schemas.FieldUser,
			ChannelID: 5, UserID: 42, UserName: []byte("Jane"), Extra: []byte(`{"lang":"de","mail":"bob@example.com","n":7}`),
		})
	}
	return b
}

const allStages = `version: 7
stages:
  - {name: no-spam, drop: 'event.content.contains("spam")'}
  - {name: short, filter: size(event.content) < 60}
  - name: typed
    when: event.content.startsWith("set")
    set:
      content: event.content + " by " + event.user_name
      extra.words: size(event.content.split(" "))
      extra.lang: '"en"'
  - {name: loud, use: shout, with: {suffix: "!!"}}
  - {name: alarms, when: event.content.contains("ALARM"), route: alarms}
  - {name: secret, when: event.content.contains("HUSH"), route: hush, leave: true}
  - redact
  - {name: counted, when: event.redactions > 1, route: much}
`

func TestTheChainDoesWhatThePolicySaysInOrder(t *testing.T) {
	c, m := chain(t, allStages)
	b := contents("hello", "buy spam", strings.Repeat("long ", 20), "set it", "refuse", "alarm from bob@example.com", "hush bob@example.com ann@example.com")
	require.NoError(t, c.Process(b))
	require.Equal(t, "HELLO!! | SET IT BY JANE!! | ALARM FROM [REDACTED:email] →alarms | HUSH [REDACTED:email] [REDACTED:email] →hush →much leaves",
		strings.ReplaceAll(texts(b), "]!!", "]"))
	require.Equal(t, `{"lang":"en","mail":"bob@example.com","n":7,"words":2}`, b.String(b.Extra[1]))
	require.Equal(t, `{"lang":"de","mail":"bob@example.com","n":7}`, b.String(b.Extra[0]))
	require.EqualValues(t, 7, b.Policy)
	require.Equal(t, []schemas.Refused{{Offset: 104, Stage: "loud", Why: schemas.Refusef("shout", "this one is not to be shouted")}}, b.Refused())
	var got []string
	for _, s := range m.Stages() {
		got = append(got, fmt.Sprintf("%s %d-%d-%d=%d", s.Stage, s.In, s.Dropped, s.Refused, s.Out))
		require.Positive(t, s.Time)
	}
	require.Equal(t, "no-spam 7-1-0=6, short 6-1-0=5, typed 5-0-0=5, loud 5-0-1=4, alarms 4-0-0=4, secret 4-0-0=4, redact 4-0-0=4, counted 4-0-0=4", strings.Join(got, ", "))
	require.Equal(t, map[string]int64{"email": 3}, m.Detections())
}

func TestTheOrderIsDeclared(t *testing.T) {
	p, err := load(t, allStages)
	require.NoError(t, err)
	require.Equal(t, []string{"alarms", "hush", "much"}, p.Topics())
	p, err = load(t, "version: 1\nusers: pseudonym\nkey: {id: k1, env: KEY}\nstages:\n  - {name: a, drop: 'false'}\n")
	require.NoError(t, err)
	require.Equal(t, [][2]string{{"a", "drop"}, {"redact", "redact"}, {"users", "pseudonym"}}, p.Stages())
}

// What an expression cannot take of an event is the event's own fault, or passes it by.
func TestExpressionErrorsAreTheEvents(t *testing.T) {
	c, m := chain(t, `version: 1
stages:
  - {name: strict, drop: event.extra.missing == "x"}
`)
	b := contents("a", "b")
	require.NoError(t, c.Process(b))
	require.Zero(t, b.Len())
	require.Len(t, b.Refused(), 2)
	require.Equal(t, "strict", b.Refused()[1].Stage)
	require.Contains(t, b.Refused()[1].Why.Error(), "no such key: missing")
	require.EqualValues(t, 2, m.Stages()[0].Refused)

	c, _ = chain(t, `version: 1
stages:
  - {name: lax, drop: event.extra.missing == "x", on_error: skip}
`)
	b = contents("a", "b")
	require.NoError(t, c.Process(b))
	require.Equal(t, "a | b", texts(b))
	require.Empty(t, b.Refused())
}

func TestStageErrorsAreTheStages(t *testing.T) {
	const doc = "version: 1\nstages:\n  - {name: loud, use: shout}\n"
	c, m := chain(t, doc)
	require.ErrorContains(t, c.Process(contents("a", "fail")), "stage loud: the dictionary is away")
	b := contents("a", "b")
	require.NoError(t, c.Process(b))
	require.Equal(t, "A! | B!", texts(b))
	require.ErrorContains(t, c.Process(contents("panic")), "stage loud: panic: a bug")
	require.EqualValues(t, 2, m.Stages()[0].Failed)
	c, _ = chain(t, "version: 1\nstages:\n  - {name: wrong, use: breaks}\n")
	require.ErrorContains(t, c.Process(contents("a")), "1 rows became 0")
}

// The resolver's events were made of ones that the chain has seen.
func TestResolvedEventsAreNotDoneTwice(t *testing.T) {
	c, _ := chain(t, "version: 1\nstages:\n  - {name: twice, set: {content: 'event.content + \"+\"'}}\n  - {name: none, drop: 'true'}\n")
	b := contents("a", "mail bob@example.com")
	b.Fields[1] |= schemas.FieldResolves
	require.NoError(t, c.Process(b))
	require.Equal(t, "mail [REDACTED:email]", texts(b))
}

func TestFieldsBesideTheContent(t *testing.T) {
	c, m := chain(t, `version: 1
types: {ip: drop}
fields: {user_name: redact, $.mail: scan, $.n: mask, $.gone: hash}
key: {id: k1, env: KEY}
`)
	b := contents("hello", "")
	require.NoError(t, c.Process(b))
	require.Equal(t, `{"lang":"de","mail":"[REDACTED:email]","n":"[field:****]"}`, b.String(b.Extra[1]))
	require.Equal(t, "[REDACTED:field]", b.String(b.UserName[1]))
	require.EqualValues(t, 3, b.Redactions[1])
	once := b.String(b.Extra[0])
	require.NoError(t, c.Process(b))
	require.Equal(t, once, b.String(b.Extra[0]))
	require.Equal(t, map[string]int64{"email": 2}, m.Detections())

	b = contents("x")
	b.Extra[0] = b.AddText([]byte(`{"mail":"from 203.0.113.9"}`))
	require.NoError(t, c.Process(b))
	require.Zero(t, b.Len(), "what a field's text drops")
}

// What is only counted keeps its form.
func TestKeptFieldsStayAsTheyWere(t *testing.T) {
	c, _ := chain(t, "version: 1\ntypes: {email: keep}\nfields: {$.n: keep, $.mail: scan}\n")
	b := contents("x")
	before := b.String(b.Extra[0])
	require.NoError(t, c.Process(b))
	require.Equal(t, before, b.String(b.Extra[0]))
	require.EqualValues(t, 2, b.Redactions[0])
}

func TestPoliciesByGuildAndChannel(t *testing.T) {
	c, _ := chain(t, `version: 1
types: {ip: off}
overrides:
  - {guilds: ["7", irc], types: {email: off, ip: redact}}
  - {channels: [irc/open], default: off}
`)
	const text = "bob@example.com 203.0.113.9"
	b := contents(text, text, text, text, text)
	irc, open := schemas.OpaqueNumber(schemas.HashRef("irc")), schemas.OpaqueNumber(schemas.HashRef("irc/open"))
	for i, p := range []struct{ guild, channel int64 }{{0, 5}, {7, 5}, {irc, 5}, {irc, open}, {8, open}} {
		b.ChannelID[i], b.GuildID[i] = p.channel, p.guild
		if p.guild != 0 {
			b.Fields[i] |= schemas.FieldGuild
		}
	}
	require.NoError(t, c.Process(b))
	require.Equal(t, "[REDACTED:email] 203.0.113.9 | bob@example.com [REDACTED:ip] | bob@example.com [REDACTED:ip] | "+text+" | "+text, texts(b))
}

func TestUsersBecomePseudonyms(t *testing.T) {
	const doc = `version: 1
users: pseudonym
types: {email: hash}
keys:
  - {id: k1, env: KEY_1}
  - {id: k2, env: KEY_2, from: 2027-01-01T00:00:00Z}
`
	c, _ := chain(t, doc)
	b := contents("a", "b", "bob@example.com", "bob@example.com", "e")
	b.Time[1], b.Time[3] = 1_900_000_000_000_000, 1_900_000_000_000_000
	b.UserRef[2] = b.AddText([]byte("irc/jane"))
	b.Fields[4] &^= schemas.FieldUser
	require.NoError(t, c.Process(b))
	ref := func(i int) string { return b.String(b.UserRef[i]) }
	require.Regexp(t, `^k1:[a-z2-7]{26}$`, ref(0))
	require.Regexp(t, `^k2:[a-z2-7]{26}$`, ref(1))
	require.Regexp(t, `^k1:[a-z2-7]{26}$`, ref(2))
	require.NotEqual(t, ref(0), ref(2))
	require.Empty(t, ref(4))
	for i := range 4 {
		require.Equal(t, schemas.OpaqueNumber(schemas.HashRef(ref(i))), b.UserID[i])
		require.Empty(t, b.String(b.UserName[i]))
	}
	require.Regexp(t, `^\[email:k1:`, b.String(b.Content[2]))
	require.Regexp(t, `^\[email:k2:`, b.String(b.Content[3]))

	before := fmt.Sprint(ref(0), b.UserID, texts(b))
	require.NoError(t, c.Process(b), "again, as a replay does")
	require.Equal(t, before, fmt.Sprint(ref(0), b.UserID, texts(b)))

	other, _ := chain(t, doc) // another process
	again := contents("a")
	require.NoError(t, other.Process(again))
	require.Equal(t, ref(0), again.String(again.UserRef[0]))
	p, err := load(t, doc)
	require.NoError(t, err)
	told := p.Pseudonyms("42")
	require.Len(t, told, 2)
	require.Equal(t, []any{ref(0), b.UserID[0], "k1"}, []any{told[0].Ref, told[0].UserID, told[0].Key})
	require.True(t, told[0].From.IsZero() && told[0].To.Equal(told[1].From) && told[1].To.IsZero(), "%+v", told)
}

func TestEveryMistakeOfAChainIsReported(t *testing.T) {
	for doc, want := range map[string]string{
		"stages: {a: b}":                                                             "p.yaml:2: stages: a list",
		"stages:\n  - reduct":                                                        `p.yaml:3: stages: "reduct": redact, or a mapping`,
		"stages:\n  - {drop: 'true'}":                                                "p.yaml:3: stages: name is missing",
		"stages:\n  - {name: Up, drop: 'true'}":                                      `p.yaml:3: stages: "Up": 1 to 40 of`,
		"stages:\n  - {name: a}":                                                     "exactly one of filter, drop, set, route, use is wanted, and it has 0",
		"stages:\n  - {name: a, drop: 'true', use: shout}":                           "and it has 2",
		"stages:\n  - {name: a, drop: 'true'}\n  - {name: a, drop: 'true'}":          "p.yaml:4: stages: the name a is taken",
		"stages:\n  - {name: users, drop: 'true'}":                                   "the name users is taken",
		"stages:\n  - redact\n  - redact":                                            "the name redact is taken",
		"stages:\n  - name: a\n    drop: event.contnt == 'x'":                        "p.yaml:4: stages.drop: 1:6: undeclared reference to 'event.contnt' (did you mean 'event.content'?)",
		"stages:\n  - name: a\n    when: event.user_id\n    drop: 'true'":            "p.yaml:4: stages.when: it is of type int, and a condition is true or false",
		"stages:\n  - {name: a, set: {user_id: '1'}}":                                "stages.set.user_id: content, user_name, channel_name, guild_name and extra.NAME can be set",
		"stages:\n  - {name: a, set: {extra.user_id: '1'}}":                          "user_id is a field of the event's own",
		"stages:\n  - {name: a, set: {extra.a.b: '1'}}":                              "sets one member of extra",
		"stages:\n  - {name: a, set: {content: event.user_id}}":                      "stages.set.content: it is of type int, and a text is wanted",
		"stages:\n  - {name: a, set: {}}":                                            "stages.set: a mapping",
		"stages:\n  - {name: a, route: 'a b'}":                                       `"a b" is no name of a topic`,
		"stages:\n  - {name: a, drop: 'true', leave: true}":                          "leave stands beside route only",
		"stages:\n  - {name: a, route: b, leave: maybe}":                             `"maybe": true or false`,
		"stages:\n  - {name: a, use: shot}":                                          `there is no processor "shot": this program has breaks, shout; did you mean shout?`,
		"stages:\n  - {name: a, use: shout, with: {sufix: x}}":                       "stages.with: stage a: yaml: unmarshal errors",
		"stages:\n  - {name: a, use: shout, with: {suffix: '?'}}":                    "a question is no shout",
		"stages:\n  - {name: a, use: shout, when: 'true'}":                           "do not stand beside use",
		"stages:\n  - {name: a, drop: 'true', on_error: ignore}":                     `"ignore": dead makes a dead letter`,
		"stages:\n  - {name: a, drop: event.content == \"a\" && }":                   "put the expression into quotes",
		"fields: {\"$.a[0]\": scan}":                                                 "path \"$.a[0]\"",
		"users: pseudonym\nkeys:\n  - {id: k1, kms: 'vault:x'}":                      `this program has no source of keys "vault"`,
		"keys:\n  - {id: k1, command: [sh, -c, 'echo it is sealed >&2; exit 3']}":    "exit status 3: it is sealed",
		"users: pseudonym\nkeys:\n  - {id: k1, command: [sh, -c, 'echo too short']}": "key k1 has 9 bytes and needs at least 32",
	} {
		_, err := load(t, "version: 1\n"+doc+"\n")
		var ps config.Problems
		require.True(t, errors.As(err, &ps), "%s: %v", doc, err)
		require.Contains(t, err.Error(), want, doc)
	}
}

func TestKeyByCommand(t *testing.T) {
	p, err := load(t, "version: 1\nusers: pseudonym\nkeys:\n  - {id: k1, command: [sh, -c, 'printf %032d 7']}\n")
	require.NoError(t, err)
	require.Len(t, p.Pseudonyms("42"), 1)
}

func TestWithoutKeyNoPseudonyms(t *testing.T) {
	_, err := processors.New(&redact.File{Users: true})
	require.ErrorContains(t, err, "need a key of at least 32 bytes")
}
