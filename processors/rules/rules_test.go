package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/processors/rules"
	"github.com/coldstream/coldstream/schemas"
)

func row(extra string) *rules.Row {
	b := &schemas.Batch{}
	b.Append(&schemas.Row{
		EventID: 7, Type: schemas.TypeCreated, UserID: 42, Content: []byte("hello world"), Extra: []byte(extra),
		ChannelID: schemas.OpaqueNumber(schemas.HashRef("irc/ubuntu")), ChannelRef: []byte("irc/ubuntu"), Time: 1_700_000_000_000_000, Offset: 99, Redactions: 2,
	})
	r := &rules.Row{}
	r.At(b, 0)
	return r
}

func TestConditionsSeeTheEvent(t *testing.T) {
	r := row(`{"lang":"de","score":1.5,"id":1234567890123456789,"tags":["a","b"]}`)
	for source, want := range map[string]bool{
		`event.content.startsWith("hello") && event.user_id == 42`:        true,
		`event.type == "message.created"`:                                 true,
		`event.channel_id == id("irc/ubuntu")`:                            true,
		`event.user_id == id("42")`:                                       true,
		`event.event_time < timestamp("2020-01-01T00:00:00Z")`:            false,
		`has(event.extra.lang) && event.extra.lang in ["de", "fr"]`:       true,
		`has(event.extra.nope)`:                                           false,
		`event.extra.?nope.orValue("none") == "none"`:                     true,
		`event.extra.id == 1234567890123456789`:                           true,
		`event.extra.score > 1.0`:                                         true,
		`event.extra.tags.exists(t, t == "b")`:                            true,
		`event.content.matches("wor.d$")`:                                 true,
		`event.redactions > 2 || event.kafka_offset != 99`:                false,
		`event.user_name == "" && event.guild_id == 0`:                    true,
		`event.content.lowerAscii().contains("WORLD".lowerAscii())`:       true,
		`event.channel_ref.split("/")[0] == "irc" && size(event.extra)>3`: true,
	} {
		e, err := rules.Compile(source, rules.Condition)
		require.NoError(t, err, source)
		got, err := e.Bool(r)
		require.NoError(t, err, source)
		require.Equal(t, want, got, source)
	}
}

func TestCompileSaysWhatIsWrong(t *testing.T) {
	for source, want := range map[string]string{
		`event.contnt == "x"`:             "did you mean 'event.content'",
		`event.user_id == "42"`:           "no matching overload",
		`event.content`:                   "a condition is true or false",
		`event.content.matches("wor(ld")`: "missing closing )",
		`event.content.`:                  "Syntax error",
		`now() > event.event_time`:        "undeclared reference to 'now'",
		``:                                "Syntax error",
	} {
		_, err := rules.Compile(source, rules.Condition)
		require.ErrorContains(t, err, want, source)
	}
	_, err := rules.Compile(`{"a": 1, "b": 2}.map(k, k)`, rules.Value)
	require.ErrorContains(t, err, "no order")
	_, err = rules.Compile("event.user_id", rules.Text)
	require.ErrorContains(t, err, "string(…)")
	_, err = rules.Compile("b'abc'", rules.Value)
	require.ErrorContains(t, err, "bytes")
}

func TestEvaluationRefusesTheRowAlone(t *testing.T) {
	for source, want := range map[string]string{
		`event.extra.nope == "x"`: "no such key",
		`event.extra.lang`:        "is of type string",
		`[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, event.content.contains(string(a+b+c+d+e)) || true)))))`: "cost",
	} {
		e, err := rules.Compile(source, rules.Condition)
		require.NoError(t, err, source)
		_, err = e.Bool(row(`{"lang":"de"}`))
		var refusal *schemas.Refusal
		require.True(t, errors.As(err, &refusal), "%s: %v", source, err)
		require.Contains(t, refusal.Error(), want)
	}
}

func TestValuesAsJSON(t *testing.T) {
	r := row(`{"lang":"de","n":{"b":[1,2.5,null,true],"a":"x"}}`)
	for source, want := range map[string]string{
		`event.extra.n`:                    `{"a":"x","b":[1,2.5,null,true]}`,
		`{"z": 1, "a": event.content}`:     `{"a":"hello world","z":1}`,
		`event.event_time`:                 `"2023-11-14T22:13:20Z"`,
		`event.user_id`:                    `42`,
		`event.content + "\n\"quoted\""`:   `"hello world\n\"quoted\""`,
		`[event.redactions > 1, 1u, -0.5]`: `[true,1,-0.5]`,
	} {
		e, err := rules.Compile(source, rules.Value)
		require.NoError(t, err, source)
		got, err := e.JSON([]byte("="), r)
		require.NoError(t, err, source)
		require.Equal(t, "="+want, string(got), source)
	}
	e, err := rules.Compile(`0.0 / 0.0`, rules.Value)
	require.NoError(t, err)
	_, err = e.JSON(nil, r)
	require.ErrorContains(t, err, "no form")
}

// A hostile text costs no more than the limit allows.
func TestCostIsBounded(t *testing.T) {
	b := &schemas.Batch{}
	b.Append(&schemas.Row{Content: []byte(strings.Repeat("a", schemas.MaxEventBytes-1))})
	r := &rules.Row{}
	r.At(b, 0)
	e, err := rules.Compile(`[1, 2, 3, 4, 5, 6, 7, 8, 9].all(i, event.content.matches("(.*)(.*)(a|aa)+$"))`, rules.Condition)
	require.NoError(t, err)
	_, err = e.Bool(r)
	require.ErrorContains(t, err, "cost")
	e, err = rules.Compile(`event.content.contains("aab")`, rules.Condition)
	require.NoError(t, err)
	got, err := e.Bool(r)
	require.NoError(t, err)
	require.False(t, got)
}
