package clickhouse_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// The model: what the events of a message add up to, said without SQL. It shares schemas.Version with the sink, and
// nothing else.

type modelKey struct {
	channel, message int64
	hash             uint64
}

type part[T any] struct {
	known   bool
	version schemas.Version
	value   T
}

func (p *part[T]) offer(v schemas.Version, value T) {
	if !p.known || v.Compare(p.version) > 0 {
		*p = part[T]{true, v, value}
	}
}

type modelMessage struct {
	ref     string
	guild   int64
	author  part[[2]int64] // user, time
	content part[fact]
	deleted part[int64] // time; 0 for a restore
	extra   part[string]
}

type fact struct {
	text   string
	edited int64
}

type model map[modelKey]*modelMessage

func (m model) apply(r *schemas.Row, policy uint32) {
	k := modelKey{r.ChannelID, r.MessageID, r.MessageHash}
	s := m[k]
	if s == nil {
		s = &modelMessage{ref: string(r.MessageRef)}
		m[k] = s
	}
	v := schemas.Version{Rank: schemas.RankOf(r.Type), Event: r.EventID, Policy: policy}
	if r.Fields.Has(schemas.FieldGuild) {
		s.guild = r.GuildID
	}
	switch r.Type {
	case schemas.TypeCreated:
		s.author.offer(v, [2]int64{r.UserID, r.Time})
		s.content.offer(v, fact{string(r.Content), 0})
		s.extra.offer(v, string(r.Extra))
	case schemas.TypeEdited:
		if r.Fields.Has(schemas.FieldContent) {
			s.content.offer(v, fact{string(r.Content), r.Time})
		}
		if len(r.Extra) > 0 {
			s.extra.offer(v, string(r.Extra))
		}
	case schemas.TypeDeleted:
		s.deleted.offer(v, r.Time)
	case schemas.TypeRestored:
		s.deleted.offer(v, 0)
	}
}

// rows is what the view messages_all (or, without the deleted, messages) must show.
func (m model) rows(all bool) []message {
	var rows []message
	for k, s := range m {
		if !s.author.known || !all && s.deleted.value != 0 {
			continue
		}
		rows = append(rows, message{
			MessageID: k.message, GuildID: s.guild, ChannelID: k.channel, UserID: s.author.value[0], Content: s.content.value.text,
			CreatedAt: s.author.value[1], EditedAt: s.content.value.edited, DeletedAt: s.deleted.value,
			Extra: s.extra.value, MessageRef: s.ref,
		})
	}
	slices.SortFunc(rows, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.ChannelID, b.ChannelID), cmp.Compare(a.MessageID, b.MessageID), cmp.Compare(a.MessageRef, b.MessageRef))
	})
	return rows
}

// history draws events of a few messages in one channel, each with the policies it may be read under.
func history(t *rapid.T, channel int64) []schemas.Row {
	epoch := schemas.DiscordEpoch
	times := []time.Time{
		time.Date(2004, 11, 15, 10, 0, 0, 0, time.UTC), time.Date(2014, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(2023, 5, 10, 14, 30, 0, 0, time.UTC), time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	}
	n := rapid.IntRange(1, 12).Draw(t, "events")
	rows := make([]schemas.Row, n)
	for i := range rows {
		born := times[rapid.IntRange(0, len(times)-1).Draw(t, "born")]
		at := born.Add(time.Duration(rapid.IntRange(-3, 90*24*3600).Draw(t, "after")) * time.Second)
		r := schemas.Row{
			ChannelID: channel, Fields: schemas.FieldChannel | schemas.FieldMessage, Time: at.UnixMicro() + int64(i),
			EventID: epoch.ID(at.UnixMilli(), uint64(rapid.IntRange(0, 3).Draw(t, "low"))<<12|uint64(i)),
			Type: rapid.SampledFrom([]schemas.Type{
				schemas.TypeCreated, schemas.TypeCreated, schemas.TypeEdited, schemas.TypeEdited, schemas.TypeDeleted, schemas.TypeRestored,
			}).Draw(t, "type"),
			KafkaTime: at.UnixMicro(),
		}
		r.TypeName = []byte(r.Type.String())
		r.MessageID = epoch.ID(born.UnixMilli(), 7)
		if rapid.Bool().Draw(t, "opaque") {
			r.MessageRef = []byte(fmt.Sprint("m-", rapid.IntRange(0, 1).Draw(t, "ref")))
			r.MessageHash = schemas.HashRef(r.MessageRef)
		}
		if r.Type == schemas.TypeCreated || r.Type == schemas.TypeEdited && rapid.Bool().Draw(t, "with content") {
			r.Fields |= schemas.FieldContent
			r.Content = []byte(rapid.SampledFrom([]string{"", "a", "zebra", "Ωmega 'quoted' \\ \x00 end"}).Draw(t, "content"))
		}
		if r.Type == schemas.TypeCreated {
			r.Fields |= schemas.FieldUser
			r.UserID = int64(rapid.IntRange(-1, 3).Draw(t, "user"))
		}
		if rapid.Bool().Draw(t, "with extra") {
			r.Extra = []byte(fmt.Sprintf(`{"n":%d}`, i))
		}
		if rapid.Bool().Draw(t, "with guild") {
			r.Fields |= schemas.FieldGuild
			r.GuildID = channel + 1
		}
		rows[i] = r
	}
	return rows
}

// under is an event as a redaction policy leaves it.
func under(r schemas.Row, policy uint32) schemas.Row {
	if r.Fields.Has(schemas.FieldContent) {
		r.Content = append(slices.Clone(r.Content), fmt.Sprint(" under ", policy)...)
	}
	return r
}

func TestTheViewsEqualTheModelWhateverTheOrder(t *testing.T) {
	var now time.Time
	h := newHot(t, nil, func(c *clickhouse.Config) { c.Now = func() time.Time { return now } })
	channel := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		channel += 10
		events, m := history(rt, channel), model{}
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") { // each delivers some of the events, in any order, under one policy
			policy := uint32(rapid.IntRange(0, 2).Draw(rt, "policy"))
			last := schemas.DiscordEpoch.Time(events[len(events)-1].EventID) // some arrive late, some do not
			now = last.Add(time.Duration(rapid.IntRange(-20, 60).Draw(rt, "days")) * 24 * time.Hour)
			b := schemas.GetBatch()
			b.Policy = policy
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(events)-1), 1, 20).Draw(rt, "delivered") {
				r := under(events[i], policy)
				b.Append(&r)
				m.apply(&r, policy)
			}
			h.writeBatch(b)
			b.Release()
			h.flush()
			if rapid.IntRange(0, 4).Draw(rt, "merge") == 0 {
				h.exec("OPTIMIZE TABLE state FINAL")
			}
			h.compare(rt, m, channel)
		}
	})
}

func (h *hot) compare(t rapid.TB, m model, channel int64) {
	for view, all := range map[string]bool{"messages": false, "messages_all": true} {
		got, want := h.rows(fmt.Sprintf("%s WHERE channel_id = %d", view, channel)), m.rows(all)
		if !slices.Equal(got, want) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", view, got, want)
		}
	}
}
