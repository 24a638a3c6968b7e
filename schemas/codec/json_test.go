package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func decode(t testing.TB, doc string) (*schemas.Batch, error) {
	t.Helper()
	b := schemas.GetBatch()
	c := codec.JSON{Epoch: schemas.DiscordEpoch}
	err := c.Decode(b, []byte(doc), codec.Origin{Time: now.UnixMicro()})
	if err != nil && b.Len() != 0 || err == nil && b.Len() != 1 {
		t.Fatalf("%d rows with error %v", b.Len(), err)
	}
	return b, err
}

// The two documents that the design shows.
func TestDocumentsOfTheDesign(t *testing.T) {
	b, err := decode(t, `{"event_id":"msg_abc123","channel_id":"xyz789","user_id":"u_456","content":"Hello world","timestamp":"2023-05-10T14:30:00Z","deleted":false}`)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2023, 5, 10, 14, 30, 0, 0, time.UTC)
	if b.Type[0] != schemas.TypeCreated || b.String(b.MessageRef[0]) != "msg_abc123" || b.String(b.ChannelRef[0]) != "xyz789" ||
		b.ChannelID[0] != int64(schemas.HashRef("xyz789")&0x7fffffffffffffff) || b.MessageID[0] != b.EventID[0] ||
		!schemas.DiscordEpoch.Time(b.MessageID[0]).Equal(at) || b.NeedsResolution(0) {
		t.Fatalf("%+v", b.Event(0))
	}
	d, err := decode(t, `{"event_id":"del_abc123","target_message_id":"msg_xyz456","timestamp":"2023-05-10T15:00:00Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if d.Type[0] != schemas.TypeDeleted || d.String(d.MessageRef[0]) != "msg_xyz456" || !d.NeedsResolution(0) {
		t.Fatalf("%+v", d.Event(0))
	}
}

func TestResolvedEventNamesTheMessagesNumber(t *testing.T) {
	b, err := decode(t, `{"event_id":"del_abc123:resolved","type":"message.deleted","channel_id":"xyz789","target_message_id":"msg_abc123","message_id":"1105862137651200000","resolves":"del_abc123","timestamp":"2023-05-10T15:00:00Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if b.NeedsResolution(0) || b.MessageID[0] != 1105862137651200000 || b.MessageHash[0] != schemas.HashRef("msg_abc123") {
		t.Fatalf("%+v", b.Event(0))
	}
}

func TestResolvedEventMayFindThatASmallNumberIsASnowflake(t *testing.T) {
	b, err := decode(t, `{"event_id":"d:resolved","type":"message.deleted","channel_id":"5","target_message_id":"42","message_id":"42","resolves":"d","timestamp":"2023-05-10T15:00:00Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if b.MessageID[0] != 42 || b.MessageHash[0] != 0 || b.MessageRef[0].Len != 0 {
		t.Fatalf("%+v", b.Event(0))
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		doc, event string
		want       schemas.Type
	}{
		{`{"event_id":"1105862137651200001","channel_id":"5"}`, "1105862137651200001", schemas.TypeCreated},
		{`{"event_id":"1105862137651200001","target_message_id":"1105862137651200000"}`, "1105862137651200001", schemas.TypeDeleted},
		{`{"event_id":"1105862137651200001","target_message_id":"1105862137651200000","content":""}`, "1105862137651200001", schemas.TypeEdited},
		{`{"event_id":"1105862137651200001","channel_id":"5","content":"x","deleted":true}`, "1105862137651200001:deleted", schemas.TypeDeleted},
		{`{"event_id":1105862137651200001,"type":"member.banned","x":[1]}`, "1105862137651200001", schemas.TypeOther},
	} {
		b, err := decode(t, c.doc)
		if err != nil {
			t.Errorf("%s: %v", c.doc, err)
			continue
		}
		if e := b.Event(0); b.Type[0] != c.want || e.EventID != c.event {
			t.Errorf("%s: %v %+v", c.doc, b.Type[0], e)
		}
	}
}

func TestSmallNumbersAndFutureOnesAreOpaque(t *testing.T) {
	doc := func(id, ts string) string {
		return fmt.Sprintf(`{"event_id":%s,"channel_id":"5","timestamp":%q}`, id, ts)
	}
	far := fmt.Sprint(schemas.DiscordEpoch.ID(now.Add(25*time.Hour).UnixMilli(), 0))
	near := fmt.Sprint(schemas.DiscordEpoch.ID(now.Add(23*time.Hour).UnixMilli(), 0))
	for _, c := range []struct {
		doc    string
		opaque bool
	}{
		{doc("42", "2023-05-10T15:00:00Z"), true},
		{doc("42", "2015-01-01T10:00:00Z"), false},
		{doc(far, "2023-05-10T15:00:00Z"), true},
		{doc(near, "2023-05-10T15:00:00Z"), false},
		{doc("-1105862137651200001", "2004-05-10T15:00:00Z"), false},
		{doc(`"99999999999999999999"`, "2023-05-10T15:00:00Z"), true},
		{doc("99999999999999999999", "2023-05-10T15:00:00Z"), true},
	} {
		b, err := decode(t, c.doc)
		if err != nil {
			t.Errorf("%s: %v", c.doc, err)
			continue
		}
		if got := b.EventHash[0] != 0; got != c.opaque {
			t.Errorf("%s: opaque is %v", c.doc, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	const id = `"event_id":"1105862137651200001"`
	ok := `{` + id + `,"channel_id":"5","content":`
	for name, c := range map[string]struct{ doc, code string }{
		"not JSON":            {"hello", "json"},
		"truncated":           {`{"event_id":"1`, "json"},
		"two documents":       {`{` + id + `,"channel_id":"5"}{}`, "json"},
		"an array":            {`[{}]`, "json"},
		"trailing comma":      {`{` + id + `,}`, "json"},
		"control character":   {ok + "\"a\x01b\"}", "json"},
		"deep nesting":        {`{` + id + `,"channel_id":"5","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, "json"},
		"empty":               {"", "tombstone or empty"},
		"invalid UTF-8":       {ok + "\"a\xffb\"}", "utf8"},
		"registry header":     {"\x00\x00\x00\x00\x01abc", "schema"},
		"too large":           {ok + `"` + strings.Repeat("x", schemas.MaxEventBytes) + `"}`, "size"},
		"duplicate key":       {ok + `"a","content":"b"}`, "duplicate"},
		"duplicate, escaped":  {ok + `"a","c\u006fntent":"b"}`, "duplicate"},
		"content a number":    {ok + `5}`, "type"},
		"deleted a text":      {ok + `"a","deleted":"yes"}`, "type"},
		"type a number":       {`{` + id + `,"type":5}`, "type"},
		"type empty":          {`{` + id + `,"type":""}`, "type"},
		"no event id":         {`{"channel_id":"5"}`, "event_id"},
		"event id null":       {`{"event_id":null,"channel_id":"5"}`, "event_id"},
		"event id empty":      {`{"event_id":"","channel_id":"5"}`, "id"},
		"event id a float":    {`{"event_id":1.5,"channel_id":"5"}`, "id"},
		"event id exponent":   {`{"event_id":1e18,"channel_id":"5"}`, "id"},
		"event id an object":  {`{"event_id":{},"channel_id":"5"}`, "id"},
		"id 0, no time":       {`{"event_id":0,"channel_id":"5"}`, "timestamp"},
		"opaque, no time":     {`{"event_id":"msg_1","channel_id":"5"}`, "timestamp"},
		"opaque message":      {`{` + id + `,"message_id":"m1","channel_id":"5"}`, "timestamp"},
		"date wrong":          {ok + `"a","timestamp":"10/05/2023"}`, "timestamp"},
		"date impossible":     {ok + `"a","timestamp":"2023-02-30T10:00:00Z"}`, "timestamp"},
		"no offset":           {ok + `"a","timestamp":"2023-02-20T10:00:00"}`, "timestamp"},
		"date a float":        {ok + `"a","timestamp":1683729000.5}`, "timestamp"},
		"date in micros":      {ok + `"a","timestamp":1683729000000000}`, "timestamp"},
		"year 0":              {ok + `"a","timestamp":"0000-01-01T00:00:00Z"}`, "timestamp"},
		"year 9999":           {ok + `"a","timestamp":"9999-12-31T23:59:59Z"}`, "timestamp"},
		"two days ahead":      {ok + `"a","timestamp":"2026-11-25T12:00:01Z"}`, "future"},
		"creation, no place":  {`{` + id + `,"content":"a"}`, "incomplete"},
		"edit, no target":     {`{` + id + `,"type":"message.edited","content":"a"}`, "incomplete"},
		"bulk without ids":    {`{` + id + `,"type":"message.bulk_deleted","channel_id":"5"}`, "incomplete"},
		"bulk of objects":     {`{` + id + `,"type":"message.bulk_deleted","channel_id":"5","message_ids":[{}]}`, "type"},
		"channel.deleted":     {`{` + id + `,"type":"channel.deleted"}`, "incomplete"},
		"guild.deleted":       {`{` + id + `,"type":"guild.deleted"}`, "incomplete"},
		"id of 600 bytes":     {`{"event_id":"` + strings.Repeat("x", 600) + `","channel_id":"5","timestamp":1}`, "id"},
		"channel a boolean":   {`{` + id + `,"channel_id":true}`, "id"},
		"lone bracket":        {`{`, "json"},
		"leading zero number": {`{"event_id":01,"channel_id":"5"}`, "json"},
	} {
		_, err := decode(t, c.doc)
		var r *schemas.Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(c.code, r.Code) || len(r.Detail) < 15 || len(r.Detail) > 400 {
			t.Errorf("%s: code %q, want %q; %q", name, r.Code, c.code, r.Detail)
		}
	}
}

func TestAcceptedWithAMeaning(t *testing.T) {
	const head = `{"event_id":"1105862137651200001","channel_id":"5",`
	for name, c := range map[string]struct{ doc, content, extra string }{
		"NUL":             {head + `"content":"a\u0000b"}`, "a\x00b", ""},
		"lone surrogate":  {head + `"content":"a\ud800b\udc00"}`, "a\ufffdb\ufffd", ""},
		"surrogate pair":  {head + `"content":"\ud83d\ude00"}`, "😀", ""},
		"null fields":     {head + `"content":null,"user_id":null}`, "", ""},
		"extra verbatim":  {head + `"content":"a", "z" : {"b":[1, 2.50,"\u00e9"]} ,"a":1e400}`, "a", `{"z" : {"b":[1, 2.50,"\u00e9"]},"a":1e400}`},
		"extra twice":     {head + `"content":"a","x":1,"x":2}`, "a", `{"x":1,"x":2}`},
		"decimal channel": {`{"event_id":"1105862137651200001","channel_id":0,"content":"a"}`, "a", ""},
		"escaped fields":  {head + `"content":"\"q\" \\ \/ \b\f\n\r\t","user_name":"\u0041"}`, "\"q\" \\ / \b\f\n\r\t", ""},
	} {
		b, err := decode(t, c.doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := b.Event(0); e.Content != c.content || string(e.Extra) != c.extra {
			t.Errorf("%s: content %q, extra %s", name, e.Content, e.Extra)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(schemas.DiscordEpoch.Time(-1<<62).UnixMicro(), now.UnixMicro()).Draw(t, "time")).UTC()
		id := rapid.OneOf(rapid.StringN(1, 20, 100), rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }))
		name := rapid.String()
		e := schemas.Event{
			EventID: id.Draw(t, "event"), ChannelID: id.Draw(t, "channel"), GuildID: id.Draw(t, "guild"), MessageID: id.Draw(t, "message"),
			UserID: id.Draw(t, "user"), Time: at, Content: name.Draw(t, "content"), HasContent: true, UserName: name.Draw(t, "name"),
			Type: rapid.SampledFrom([]string{"", "message.created", "message.edited", "message.deleted", "message.restored", "user.banned"}).Draw(t, "type"),
		}
		if rapid.Bool().Draw(t, "extra?") {
			e.Extra, _ = json.Marshal(map[string]string{"x" + name.Draw(t, "key"): name.Draw(t, "value")})
		}
		var first, second schemas.Batch
		c := codec.JSON{Epoch: schemas.DiscordEpoch}
		origin := codec.Origin{Time: now.UnixMicro()}
		if err := c.Decode(&first, codec.AppendEvent(nil, &e), origin); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		got := first.Event(0)
		doc := codec.AppendEvent(nil, &got)
		if err := c.Decode(&second, doc, origin); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		var a, b schemas.Row
		first.Row(0, &a)
		second.Row(0, &b)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%s:\n%+v\n%+v", doc, a, b)
		}
	})
}

// A document that encoding/json takes for an object is never refused as "json" (but for depth), and the reverse.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"event_id":"1105862137651200001","channel_id":"5"}`, `{"a":[1,2,{"b":null}],"c":-1.5e+3}`, `{"\ud800":"\u0000"}`, `{} x`, "[", `{"a":01}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var b schemas.Batch
		c := codec.JSON{Epoch: schemas.DiscordEpoch}
		err := c.Decode(&b, doc, codec.Origin{Time: now.UnixMicro()})
		var r *schemas.Refusal
		if err != nil && !errors.As(err, &r) {
			t.Fatalf("%q: %v is not a refusal", doc, err)
		}
		trimmed := bytes.TrimLeft(doc, " \t\r\n")
		valid := json.Valid(doc) && utf8.Valid(doc) && len(trimmed) > 0 && trimmed[0] == '{'
		if syntax := r != nil && r.Code == "json"; len(doc) < 400 && len(doc) > 0 && doc[0] != 0 && utf8.Valid(doc) && syntax == valid {
			t.Fatalf("%q: valid is %v, and it answers %v", doc, valid, err)
		}
		if err == nil {
			e := b.Event(0)
			var again schemas.Batch
			if err := c.Decode(&again, codec.AppendEvent(nil, &e), codec.Origin{Time: now.UnixMicro()}); err != nil {
				t.Fatalf("%q: its encoding %s is refused: %v", doc, codec.AppendEvent(nil, &e), err)
			}
		}
	})
}

var ordinary = []byte(`{"event_id":"1441780225000013824","type":"message.created","guild_id":"81384788765712384","channel_id":"381870553235193857","message_id":"1441780225000013824","user_id":"53908232506183680","content":"has anyone seen the new release notes? the upgrade path from last week broke my build, \"again\"","timestamp":"2025-11-22T12:00:00.123Z","user_name":"marta"}`)

func TestDecodeDoesNotAllocatePerEvent(t *testing.T) {
	var b schemas.Batch
	c := codec.JSON{Epoch: schemas.DiscordEpoch}
	run := func() {
		b.Reset()
		for i := range 100 {
			if err := c.Decode(&b, ordinary, codec.Origin{Offset: int64(i), Time: now.UnixMicro()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 1 {
		t.Fatalf("%v allocations for 100 events", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	batch := schemas.GetBatch()
	c := codec.JSON{Epoch: schemas.DiscordEpoch}
	b.SetBytes(int64(len(ordinary)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if batch.Len() == 4096 {
			batch.Reset()
		}
		if err := c.Decode(batch, ordinary, codec.Origin{Offset: int64(i), Time: now.UnixMicro()}); err != nil {
			b.Fatal(err)
		}
	}
}
