package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coldstream/coldstream/jobs/verify"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// decoder is the project's codec.
type decoder struct{ json codec.JSON }

func (d *decoder) Decode(b *schemas.Batch, r verify.Record) error {
	return d.json.Decode(b, r.Value, codec.Origin{Partition: r.Partition, Offset: r.Offset, Time: r.Time.UnixMicro()})
}

type noRedaction struct{}

func (noRedaction) Process(*schemas.Batch) error { return nil }

// world is a small system in memory whose parts agree until a test breaks one.
type world struct {
	docs      [][]byte // partition 0
	next      map[string]int64
	position  int64
	rows      []int // offsets in the lake
	alter     map[int]string
	foreign   []int // offsets that rows claim which the topic does not explain
	elsewhere []int // documents whose row came from another topic
	gone      []string
	goneRows  int64
	from      int64 // first offset that the topic still holds
	moves     int   // how often it moves while it is read
	hot       []verify.HotMessage
	late      [][]byte // documents that arrive while the hot store is read
	reads     int
	policy    int64 // of verify; 0: 1, the rows' own
	chain     verify.Redactor
	earlier   []verify.Redactor
}

func id(n int) int64 { return schemas.DiscordEpoch.ID(now.UnixMilli()-1e6+int64(n), 0) }

func newWorld() *world {
	w := &world{next: map[string]int64{}, alter: map[int]string{}}
	create := func(n int, text string) string {
		return fmt.Sprintf(`{"event_id":"%d","type":"message.created","channel_id":"5","user_id":"7","content":%q}`, id(n), text)
	}
	for _, doc := range []string{
		create(0, "first"), create(1, "second"), create(2, "third"), create(1, "second"), // offset 3 repeats 1
		"not an event", // offset 4 is dead
		fmt.Sprintf(`{"event_id":"%d","type":"message.edited","channel_id":"5","target_message_id":"%d","content":"changed"}`, id(5), id(0)),
		fmt.Sprintf(`{"event_id":"%d","type":"message.deleted","channel_id":"5","target_message_id":"%d"}`, id(6), id(2)),
	} {
		w.docs = append(w.docs, []byte(doc))
	}
	w.rows = []int{0, 1, 2, 5, 6}
	w.position = int64(len(w.docs))
	w.next["hot"], w.next["cold"] = w.position, w.position
	message := func(n int, text string, deleted bool) verify.HotMessage {
		return verify.HotMessage{Key: verify.MessageKey{Channel: 5, Message: id(n)}, Content: verify.HashText(text), User: 7, Deleted: deleted, Policy: 1}
	}
	w.hot = []verify.HotMessage{message(0, "changed", false), message(1, "second", false), message(2, "third", true)}
	return w
}

func (w *world) Spans(context.Context) ([]verify.RangeSpan, error) {
	n := int64(len(w.docs))
	if w.reads > 0 {
		n += int64(len(w.late))
	}
	return []verify.RangeSpan{{Topic: "events", From: w.from, Next: n}}, nil
}

func (w *world) Read(_ context.Context, spans []verify.RangeSpan, f func(verify.Record) error) error {
	w.reads++
	if w.moves > 0 {
		w.moves--
		w.from++
		return verify.ErrMoved
	}
	all := slices.Concat(w.docs, w.late)
	for o := spans[0].From; o < spans[0].Next; o++ {
		if err := f(verify.Record{Offset: o, Time: now.Add(-time.Minute), Value: all[o]}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Committed(_ context.Context, group string) (map[int32]int64, error) {
	return map[int32]int64{0: w.next[group]}, nil
}

func (w *world) Open(context.Context) error { return nil }

func (w *world) Position() map[int32]int64 { return map[int32]int64{0: w.position} }

func (w *world) Rows(_ context.Context, f func(*schemas.Batch, int64) error, gone func(string, int64)) error {
	for _, g := range w.gone {
		gone(g, w.goneRows)
	}
	d := decoder{codec.JSON{Epoch: schemas.DiscordEpoch}}
	for _, o := range slices.Concat(w.rows, w.foreign, w.elsewhere) {
		b := schemas.GetBatch()
		doc := newWorldDocs[o]
		if slices.Contains(w.foreign, o) {
			doc = newWorldDocs[0]
		}
		if err := d.Decode(b, verify.Record{Offset: int64(o), Time: now, Value: doc}); err != nil {
			return err
		}
		if slices.Contains(w.elsewhere, o) {
			b.Offset[0] = -1
		}
		if text, ok := w.alter[o]; ok {
			b.Content[0] = b.AddText([]byte(text))
		}
		if err := f(b, 1); err != nil {
			return err
		}
		b.Release()
	}
	return nil
}

// newWorldDocs are the documents as the lake saw them, whatever a test does to the topic.
var newWorldDocs = newWorld().docs

func (w *world) Files(context.Context) (int64, int64, int64, error) { return 1, 100, 0, nil }

func (w *world) Messages(_ context.Context, f func(verify.HotMessage) error) error {
	for _, m := range w.hot {
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Visible(context.Context) (n int64, err error) {
	for _, m := range w.hot {
		if !m.Deleted {
			n++
		}
	}
	return n, nil
}

func (w *world) Waiting(context.Context) (int64, error) { return 0, nil }

func (w *world) verify(t *testing.T) *verify.Result {
	t.Helper()
	d := &decoder{codec.JSON{Epoch: schemas.DiscordEpoch}}
	if w.chain == nil {
		w.chain = noRedaction{}
	}
	r, err := verify.Run(context.Background(), verify.Config{
		Log: w, Lake: w, Hot: w, Decoder: d, Bulk: d.json.BulkTargets, Redactor: w.chain, Earlier: w.earlier, Policy: max(w.policy, 1),
		HotGroup: "hot", ColdGroup: "cold", Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAWorldThatAgrees(t *testing.T) {
	r := newWorld().verify(t)
	if !r.OK || r.Topic != (verify.TopicResult{Records: 7, Events: 5, Repeats: 1, Dead: 1}) || r.Lake.Events != 5 || r.Hot.Messages != 2 || r.Lag != (verify.Lags{}) {
		t.Fatalf("%+v", r)
	}
}

func TestEveryFaultIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*world)
		want  func(*verify.Result) int64
	}{
		"a row removed":           {func(w *world) { w.rows = w.rows[1:] }, func(r *verify.Result) int64 { return r.Lake.Missing }},
		"a file removed":          {func(w *world) { w.rows, w.gone = w.rows[:4], []string{"data/x.parquet"} }, func(r *verify.Result) int64 { return r.Lake.Missing }},
		"a row stored twice":      {func(w *world) { w.rows = append(w.rows, 2) }, func(r *verify.Result) int64 { return r.Lake.Duplicated }},
		"a text altered":          {func(w *world) { w.alter[1] = "other" }, func(r *verify.Result) int64 { return r.Lake.Altered }},
		"a row from nowhere":      {func(w *world) { w.foreign = append(w.foreign, 4) }, func(r *verify.Result) int64 { return r.Lake.Extra }},
		"a message missing":       {func(w *world) { w.hot = w.hot[1:] }, func(r *verify.Result) int64 { return r.Hot.Missing }},
		"an edit missing":         {func(w *world) { w.hot[0].Content = verify.HashText("first") }, func(r *verify.Result) int64 { return r.Hot.Stale }},
		"a delete missing":        {func(w *world) { w.hot[2].Deleted = false }, func(r *verify.Result) int64 { return r.Hot.Stale }},
		"another author":          {func(w *world) { w.hot[1].User = 8 }, func(r *verify.Result) int64 { return r.Hot.Stale }},
		"a message from nowhere":  {func(w *world) { w.hot = append(w.hot, verify.HotMessage{Key: verify.MessageKey{Channel: 9}}) }, func(r *verify.Result) int64 { return r.Hot.Extra }},
		"an event out of the log": {func(w *world) { w.docs[1] = []byte("gone"); w.docs[3] = []byte("gone") }, func(r *verify.Result) int64 { return min(r.Hot.Extra, r.Lake.Extra) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c.fault(w)
			r := w.verify(t)
			if n := c.want(r); n != 1 || r.OK || len(r.Examples) == 0 {
				t.Fatalf("%d, %+v", n, r)
			}
		})
	}
}

func TestAFileFromBeforeTheRangeIsMissed(t *testing.T) {
	w := newWorld()
	w.gone, w.goneRows = []string{"data/old.parquet"}, 12
	if r := w.verify(t); r.OK || r.Lake.Missing != 12 {
		t.Fatalf("%+v", r)
	}
}

func TestRetentionThatMovesMakesItBeginAgain(t *testing.T) {
	w := newWorld()
	w.moves = 2
	if r := w.verify(t); !r.OK || r.Range[0].From != 2 || r.Topic.Records != 5 {
		t.Fatalf("%+v", r)
	}
	w = newWorld()
	w.moves = 100
	w.docs = nil
	if _, err := verify.Run(context.Background(), verify.Config{Log: w, Decoder: &decoder{}, Redactor: noRedaction{}}); !errors.Is(err, verify.ErrMoved) {
		t.Fatal(err)
	}
}

func TestContentOfAnotherPolicyIsNotCompared(t *testing.T) {
	w := newWorld()
	w.hot[0].Policy, w.hot[0].Content = 7, verify.HashText("redacted otherwise")
	if r := w.verify(t); !r.OK {
		t.Fatalf("%+v", r)
	}
}

func TestAnEventSentAgainWithAnotherTextMayKeepEither(t *testing.T) {
	w := newWorld()
	w.docs[3] = bytes.Replace(w.docs[3], []byte("second"), []byte("zweite"), 1)
	w.hot[1].Content = verify.HashText("zweite")
	if r := w.verify(t); !r.OK {
		t.Fatalf("%+v", r)
	}
}

func TestADeleteFromBeforeTheRangeIsNoFault(t *testing.T) {
	w := newWorld()
	w.from = 1 // the creation of message 0 is out of range, that of message 1 stands twice in it
	w.hot[1].Deleted, w.hot[1].DeletedVersion = true, id(9)
	if r := w.verify(t); !r.OK {
		t.Fatalf("%+v", r)
	}
}

func TestRepeatsFarApartAreAllowed(t *testing.T) {
	w := newWorld()
	w.rows = append(w.rows, 3)
	if r := w.verify(t); !r.OK || r.Lake.Repeats != 1 || r.Lake.Events != 5 {
		t.Fatalf("%+v", r)
	}
}

func TestWhatIsAboveThePositionsIsLag(t *testing.T) {
	w := newWorld()
	w.rows, w.position = []int{0, 1}, 2
	w.next["cold"], w.next["hot"] = 5, 6
	r := w.verify(t)
	if !r.OK || r.Lag.Commit.Records != 3 || r.Lag.Cold.Records != 2 || r.Lag.Hot.Records != 1 || r.Lag.Hot.Seconds != 60 {
		t.Fatalf("%+v", r)
	}
}

func TestAStoreAheadOfTheModelIsNoFault(t *testing.T) {
	w := newWorld()
	w.late = [][]byte{[]byte(fmt.Sprintf(`{"event_id":"%d","type":"message.edited","channel_id":"5","target_message_id":"%d","content":"newer"}`, id(9), id(1)))}
	w.hot[1].Content = verify.HashText("newer")
	if r := w.verify(t); !r.OK {
		t.Fatalf("%+v", r)
	}
}

func TestDeletesOfChannelsAndGuilds(t *testing.T) {
	channel := fmt.Sprintf(`{"event_id":"%d","type":"channel.deleted","guild_id":"3","channel_id":"5"}`, id(8))
	guild := fmt.Sprintf(`{"event_id":"%d","type":"guild.deleted","guild_id":"3"}`, id(8))
	member := fmt.Sprintf(`{"event_id":"%d","type":"message.edited","guild_id":"3","channel_id":"5","target_message_id":"%d"}`, id(7), id(0))
	restored := fmt.Sprintf(`{"event_id":"%d","type":"message.restored","channel_id":"5","target_message_id":"%d"}`, id(9), id(1))
	for name, c := range map[string]struct {
		docs []string
		late string
		hot  []int // what of the three messages the store has as deleted
		want func(*verify.Result) bool
	}{
		"a channel's":              {[]string{channel}, "", []int{0, 1, 2}, func(r *verify.Result) bool { return r.OK && r.Hot.Waiting == 0 }},
		"a guild's":                {[]string{guild, member}, "", []int{0, 1, 2}, func(r *verify.Result) bool { return r.OK && r.Hot.Waiting == 0 }},
		"of a guild elsewhere":     {[]string{guild}, "", []int{2}, func(r *verify.Result) bool { return r.OK && r.Hot.Waiting == 0 }},
		"not written yet":          {[]string{channel}, "", []int{2}, func(r *verify.Result) bool { return r.OK && r.Hot.Waiting == 2 }},
		"one message restored":     {[]string{channel, restored}, "", []int{0, 2}, func(r *verify.Result) bool { return r.OK && r.Hot.Waiting == 0 }},
		"a restore that was lost":  {[]string{channel, restored}, "", []int{0, 1, 2}, func(r *verify.Result) bool { return !r.OK && r.Hot.Stale == 1 }},
		"while the store was read": {[]string{member}, guild, []int{0, 1, 2}, func(r *verify.Result) bool { return r.OK }},
		"deleted by nobody":        {nil, "", []int{0, 2}, func(r *verify.Result) bool { return !r.OK && r.Hot.Stale == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			for _, d := range c.docs {
				w.docs = append(w.docs, []byte(d))
			}
			w.next["hot"] = int64(len(w.docs))
			if c.late != "" {
				w.late = [][]byte{[]byte(c.late)}
			}
			for i := range w.hot {
				w.hot[i].Deleted = slices.Contains(c.hot, i)
			}
			if r := w.verify(t); !c.want(r) {
				t.Fatalf("%+v", r)
			}
		})
	}
}
