package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
)

// plainly reads extra by encoding/json, all of it, into maps of Go: what the lazy reader must agree with.
func plainly(doc []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil {
		return map[string]any{}
	}
	return wholeNumbers(m).(map[string]any)
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = wholeNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = wholeNumbers(v[k])
		}
	}
	return v
}

// modelRow is a row whose extra is read plainly.
type modelRow struct {
	*Row
	extra map[string]any
}

func (m modelRow) ResolveName(name string) (any, bool) {
	if name == "event.extra" {
		return m.extra, true
	}
	return m.Row.ResolveName(name)
}

func rowOf(extra []byte) *Row {
	b := &schemas.Batch{}
	b.Append(&schemas.Row{Content: []byte("hello"), Extra: extra})
	r := &Row{}
	r.At(b, 0)
	return r
}

// looks are what expressions do with extra. The order of members is not among them: of Go's maps it is chance.
var looks = []string{
	`event.extra`, `size(event.extra)`, `event.extra == event.extra`, `has(event.extra.a)`, `"a" in event.extra`, `dyn(1) in event.extra`, `event.extra[dyn(1)]`,
	`event.extra.a`, `event.extra.b`, `event.extra["a b"]`, `event.extra["ä"]`, `event.extra["\ufffd"]`, `event.extra[""]`,
	`event.extra.a.b`, `event.extra.a.b.a`, `has(event.extra.a.b)`, `event.extra.?a.?b.orValue("none")`, `event.extra.a[0]`, `event.extra.a[1].a`,
	`event.extra.a == event.extra.b`, `event.extra.a < event.extra.b`, `event.extra.a + event.extra.b`, `event.extra.a == 1`, `event.extra.a == 1.0`,
	`string(event.extra.a)`, `int(event.extra.a)`, `double(event.extra.a)`, `size(event.extra.a)`, `type(event.extra) == map`, `type(event.extra.a) == list`,
	`event.extra.a in ["x", "y"]`, `"x" in event.extra.a`, `event.extra.exists(k, k == "b")`, `event.extra.all(k, size(k) < 3)`, `event.extra.exists(k, event.extra[k] == 1)`,
	`event.extra.a.exists(v, v == "x")`, `type(event.extra.a) == list ? event.extra.a.map(v, v) : []`, `{"n": event.extra}`, `[event.extra.a, event.extra]`, `event.extra.a == {"b": 1}`, `{"a": 1} == event.extra`,
	`optional.ofNonZeroValue(event.extra.a).hasValue()`, `event.extra.a.startsWith("x")`, `"%s".format([event.extra.a])`,
}

// Random documents, with members of one name, numbers that fit into nothing, escapes of every kind, bytes that are no
// UTF-8 and ones that are no JSON: the lazy reader gives what reading all by encoding/json gives, at the same cost.
func TestExtraIsWhatEncodingJSONReads(t *testing.T) {
	env, err := environment()
	require.NoError(t, err)
	programs := make([]cel.Program, len(looks))
	for i, source := range looks {
		ast, issues := env.Compile(source)
		require.NoError(t, issues.Err(), source)
		programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(CostLimit))
		require.NoError(t, err, source)
	}
	rapid.Check(t, func(t *rapid.T) {
		doc := document().Draw(t, "doc")
		row := rowOf(doc)
		for range 2 { // a second look finds what the first left behind
			for i, p := range programs {
				got, gotCost, gotErr := seen(p, row)
				want, wantCost, wantErr := seen(p, modelRow{rowOf(doc), plainly(doc)})
				if strings.Contains(looks[i], "(k, ") || strings.Contains(looks[i], "exists(") { // a loop over Go's map stops early by chance
					gotCost = wantCost
				}
				if got != want || gotCost != wantCost || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
					t.Fatalf("%s over %q: %s at %d (%v), want %s at %d (%v)", looks[i], doc, got, gotCost, gotErr, want, wantCost, wantErr)
				}
			}
		}
	})
}

// seen is the result, as JSON where there is one, and what it cost.
func seen(p cel.Program, r cel.Activation) (string, uint64, error) {
	v, details, err := p.Eval(r)
	if err != nil {
		return "", 0, err
	}
	text, err := appendJSON(nil, v)
	if err != nil {
		text = fmt.Appendf(nil, "%v, type %v", err, v.Type())
	}
	return string(text), *details.ActualCost(), nil
}

// document generates what extra may hold, and what it may not.
func document() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		doc := drawObject(t, 3)
		switch rapid.IntRange(0, 9).Draw(t, "damage") {
		case 0:
			at := rapid.IntRange(0, len(doc)).Draw(t, "cut")
			return []byte(doc[:at])
		case 1:
			at := rapid.IntRange(0, len(doc)-1).Draw(t, "at")
			changed := []byte(doc)
			changed[at] = rapid.Byte().Draw(t, "byte")
			return changed
		case 2:
			return []byte(doc + rapid.SampledFrom([]string{" ", "}", "x", "{}", ","}).Draw(t, "after"))
		case 3:
			return []byte(rapid.SampledFrom([]string{"", " ", "null", "[1]", "1", `"a"`, "{", "{}", "{,}", `{"a":}`, `{"a":1,}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":nul}`, "{\"a\":\"\x01\"}"}).Draw(t, "odd"))
		}
		return []byte(doc)
	})
}

func drawObject(t *rapid.T, depth int) string {
	members := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return space(t) + rapid.SampledFrom(names).Draw(t, "name") + space(t) + ":" + space(t) + drawValue(t, depth-1) + space(t)
	}), 0, 5).Draw(t, "members")
	return space(t) + "{" + strings.Join(members, ",") + space(t) + "}"
}

var names = []string{`"a"`, `"a"`, `"a"`, `"b"`, `"b"`, `"\u0061"`, `"\u0062"`, `"a b"`, `"ä"`, `"\u00e4"`, `"\u00E4"`, `""`, "\"\xff\"", `"\ud800"`, `"\ufffd"`, `"\ud83d\ude00"`, `"\/"`}

func space(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r"}).Draw(t, "space")
}

func drawValue(t *rapid.T, depth int) string {
	kinds := 6
	if depth > 0 {
		kinds = 8
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal")
	case 1:
		return rapid.SampledFrom([]string{
			"0", "-0", "1", "1.0", "-1", "1e3", "1E-3", "0.1", "1e400", "-1e400", "1e-400", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
			"-9223372036854775809", "123456789012345678901234567890", "0.30000000000000004", "1.7976931348623157e308", "100000000000000000000000.5",
		}).Draw(t, "number")
	case 2:
		return strconv.FormatInt(rapid.Int64().Draw(t, "int"), 10)
	case 3:
		return rapid.SampledFrom([]string{
			`"x"`, `"y"`, `""`, `"\""`, `"\\"`, `"\n\t\b\f\r\/"`, `"\u0000"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00x"`, `"\ud83d\u0041"`, `"\ud83d\ud83d\ude00"`,
			"\"\xff\"", "\"\xc3\xc3x\"", "\"\xff\\n\"", "\"\xed\xa0\x80\"", `"ä😀"`, `"<&>"`, "\"\u2028\"", `"12"`, `"1.5"`, `"x\\u0041"`,
		}).Draw(t, "string")
	case 4, 5:
		text, _ := json.Marshal(rapid.String().Draw(t, "text"))
		return string(text)
	case 6:
		return drawObject(t, depth)
	default:
		return "[" + space(t) + strings.Join(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return space(t) + drawValue(t, depth-1) }), 0, 4).Draw(t, "elements"), ",") + "]"
	}
}

// Members come in the order of their names, the last of one name, wherever they stand.
func TestMembersComeInOrder(t *testing.T) {
	for source, want := range map[string]string{
		`event.extra.map(k, k)`:                                `["a","b","c"]`,
		`event.extra.map(k, event.extra[k])`:                   `[4,2,{"y":1,"x":2}]`,
		`event.extra.c.map(k, k)`:                              `["x","y"]`,
		`event.extra.filter(k, k != "a")`:                      `["b","c"]`,
		`event.extra.map(k, type(event.extra[k]) == map, k)`:   `["c"]`,
		`[event.extra].map(m, m.map(k, k)).map(l, l.join(""))`: `["abc"]`,
	} {
		e, err := Compile(source, Value)
		require.NoError(t, err, source)
		got, err := e.JSON(nil, rowOf([]byte(`{"c":{"y":1,"x":2},"a":1,"b":2,"a":4}`)))
		require.NoError(t, err, source)
		require.JSONEq(t, want, string(got), source)
	}
}

// A value stays good when a stage reads on in the same row.
func TestARowIsReadAfresh(t *testing.T) {
	b := &schemas.Batch{}
	for i := range 100 {
		b.Append(&schemas.Row{Extra: fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, strings.Repeat("x", i))})
	}
	b.Append(&schemas.Row{})
	e, err := Compile("event.extra.n", Value)
	require.NoError(t, err)
	r := &Row{}
	for i := range 100 {
		r.At(b, i)
		got, err := e.JSON(nil, r)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), string(got))
	}
	r.At(b, 100)
	_, err = e.JSON(nil, r)
	require.ErrorContains(t, err, "no such key: n")
}

// What is evaluated without counting its cost cannot cost more than is allowed, whatever the event: the same expressions,
// counted, over the largest texts.
func TestWhatIsNotCountedIsBounded(t *testing.T) {
	env, err := environment()
	require.NoError(t, err)
	long := strings.Repeat("ab ", schemas.MaxEventBytes/3)
	b := &schemas.Batch{}
	b.Append(&schemas.Row{Content: []byte(long), UserName: []byte(long), ChannelRef: []byte(long), Extra: []byte(`{"a":"` + long[:len(long)-20] + `","b":[]}`)})
	r := &Row{}
	counted := map[string]bool{}
	for _, source := range []string{
		`event.channel_id == 77`, `event.content.contains("viagra")`, `event.content.matches("(?i)via.ra")`, `event.content.startsWith(event.user_name)`, `event.content + event.user_name == event.channel_ref`,
		`has(event.extra.lang) && event.extra.lang == "de"`, `event.extra.a.contains("viagra")`, `event.extra.a == event.content`, `event.content.trim().lowerAscii().startsWith("x")`,
		`size(event.content.split(" ")) > 3`, `event.content in [event.user_name, event.channel_ref]`, `event.extra.?lang.orValue("none") == "none"`, `event.content < event.user_name`,
		`event.content.replace("a", "aaaaaaaaaaaaaaaa").contains("x")`, `event.content.split(" ").exists(w, w.matches("^x$"))`, `event.extra.b.all(v, v > 1)`, `(event.content + event.content + event.content + event.content + event.content + event.content + event.content + event.content).matches("(a|b|c|d|e|f)+$")`,
	} {
		ast, issues := env.Compile(source)
		require.NoError(t, issues.Err(), source)
		counted[source] = !bounded(env, ast)
		if counted[source] {
			continue
		}
		p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost))
		require.NoError(t, err, source)
		r.At(b, 0)
		_, details, err := p.Eval(r)
		require.NoError(t, err, source)
		require.LessOrEqual(t, *details.ActualCost(), uint64(CostLimit), source)
	}
	require.False(t, counted[`event.content.contains("viagra")`], "an ordinary condition goes uncounted")
	require.True(t, counted[`event.content.split(" ").exists(w, w.matches("^x$"))`], "a loop is counted")
}
