package clickhouse_test

import (
	"slices"
	"strings"

	"github.com/coldstream/coldstream/schemas"
)

// The model: what a history of events adds up to, said without SQL. It shares with the product the decoder, which has
// tests of its own, schemas.Version and schemas.Covers, and nothing else.

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

// removed is the delete of a whole channel or guild.
type removed struct {
	version schemas.Version
	at      int64
}

// asked is an edit, delete or restore whose message is not known.
type asked struct {
	hash       uint64
	number     int64
	decimal    bool
	channel    int64
	hasChannel bool
}

type model struct {
	messages map[modelKey]*modelMessage
	guilds   map[pairOf]bool
	channels map[int64]removed
	removed  map[int64]removed
	waiting  map[string]asked // by the id under which it will be published
	done     map[string]bool
}

type pairOf struct{ guild, channel int64 }

func newModel() *model {
	return &model{map[modelKey]*modelMessage{}, map[pairOf]bool{}, map[int64]removed{}, map[int64]removed{}, map[string]asked{}, map[string]bool{}}
}

// apply adds one delivery of an event, as it was decoded and redacted.
func (m *model) apply(r *schemas.Row, policy uint32, bulk []bulkTarget) {
	if r.Type != schemas.TypeOther && r.Fields.Has(schemas.FieldGuild|schemas.FieldChannel) {
		m.guilds[pairOf{r.GuildID, r.ChannelID}] = true
	}
	v := schemas.Version{Rank: schemas.RankOf(r.Type), Event: r.EventID, Policy: policy}
	whole := r.Fields.Has(schemas.FieldChannel | schemas.FieldMessage)
	switch {
	case r.Type == schemas.TypeChannelDeleted:
		wide(m.channels, r.ChannelID, v, r.Time)
	case r.Type == schemas.TypeGuildDeleted:
		wide(m.removed, r.GuildID, v, r.Time)
	case r.Type == schemas.TypeBulkDeleted:
		m.bulk(r, v, bulk)
	case r.Type == schemas.TypeOther:
	case !whole:
		m.ask(eventText(r)+":resolved", r, bulkTarget{string(r.MessageRef), r.MessageID, r.Fields.Has(schemas.FieldMessage)})
	default:
		m.one(modelKey{r.ChannelID, r.MessageID, r.MessageHash}, r, v)
	}
}

func (m *model) bulk(r *schemas.Row, v schemas.Version, targets []bulkTarget) {
	for _, t := range targets {
		if t.known && r.Fields.Has(schemas.FieldChannel) {
			m.at(modelKey{r.ChannelID, t.number, 0}, r).deleted.offer(v, r.Time)
			continue
		}
		m.ask(eventText(r)+":"+t.text+":resolved", r, t)
	}
}

// bulkTarget is a message that an event names: its text and, where that is a Snowflake, its number.
type bulkTarget struct {
	text   string
	number int64
	known  bool
}

func (m *model) ask(id string, r *schemas.Row, t bulkTarget) {
	if m.done[id] {
		return
	}
	a := asked{channel: r.ChannelID, hasChannel: r.Fields.Has(schemas.FieldChannel)}
	if t.known {
		a.number, a.decimal = t.number, true
	} else {
		a.hash = schemas.HashRef(t.text)
		a.number, a.decimal = schemas.ParseDecimal([]byte(t.text))
	}
	m.waiting[id] = a
}

func wide(all map[int64]removed, id int64, v schemas.Version, at int64) {
	if have, ok := all[id]; !ok || v.Compare(have.version) > 0 {
		all[id] = removed{v, at}
	}
}

func (m *model) at(k modelKey, r *schemas.Row) *modelMessage {
	s := m.messages[k]
	if s == nil {
		s = &modelMessage{}
		m.messages[k] = s
	}
	if k.hash != 0 {
		s.ref = max(s.ref, string(r.MessageRef))
	}
	if r.Fields.Has(schemas.FieldGuild) {
		s.guild = max(s.guild, r.GuildID)
	}
	return s
}

func (m *model) one(k modelKey, r *schemas.Row, v schemas.Version) {
	s := m.at(k, r)
	switch r.Type {
	case schemas.TypeCreated:
		s.author.offer(v, [2]int64{r.UserID, r.Time})
		s.content.offer(v, fact{string(r.Content), 0})
		s.extra.offer(v, string(r.Extra))
	case schemas.TypeEdited:
		if r.Fields.Has(schemas.FieldContent) {
			s.content.offer(v, fact{string(r.Content), r.Time})
		}
		if extra := withoutMark(r); extra != "" {
			s.extra.offer(v, extra)
		}
	case schemas.TypeDeleted:
		s.deleted.offer(v, r.Time)
	case schemas.TypeRestored:
		s.deleted.offer(v, 0)
	}
}

// withoutMark is an edit's extra without what the resolver adds; the histories' extras hold one member at most.
func withoutMark(r *schemas.Row) string {
	extra := string(r.Extra)
	if !r.Fields.Has(schemas.FieldResolves) {
		return extra
	}
	_, rest, some := strings.Cut(extra, ",")
	if !some {
		return ""
	}
	return "{" + rest
}

// resolve takes what can be completed out of what waits: by id, the one message that its target names.
func (m *model) resolve() map[string]modelKey {
	found := map[string]modelKey{}
	for id, a := range m.waiting {
		var keys []modelKey
		for k, s := range m.messages {
			named := a.hash != 0 && k.hash == a.hash || a.decimal && k.hash == 0 && k.message == a.number
			if s.author.known && named && (!a.hasChannel || a.channel == k.channel) {
				keys = append(keys, k)
			}
		}
		if len(keys) == 1 {
			found[id] = keys[0]
		}
	}
	for id := range found {
		delete(m.waiting, id)
		m.done[id] = true
	}
	return found
}

// rows are the rows that a view should show.
func (m *model) rows(all bool) []message {
	var out []message
	for k, s := range m.messages {
		deleted := s.deleted
		for _, c := range m.covers(k.channel) {
			if schemas.Covers(c.version.Event, k.message) {
				deleted.offer(c.version, c.at)
			}
		}
		if !s.author.known || !all && deleted.value != 0 {
			continue
		}
		out = append(out, message{
			MessageID: k.message, GuildID: s.guild, ChannelID: k.channel, UserID: s.author.value[0], CreatedAt: s.author.value[1],
			Content: s.content.value.text, EditedAt: s.content.value.edited, DeletedAt: deleted.value, Extra: s.extra.value, MessageRef: s.ref,
		})
	}
	slices.SortFunc(out, byKey)
	return out
}

func (m *model) covers(channel int64) []removed {
	var all []removed
	if c, ok := m.channels[channel]; ok {
		all = append(all, c)
	}
	for guild, g := range m.removed {
		if m.guilds[pairOf{guild, channel}] {
			all = append(all, g)
		}
	}
	return all
}

func eventText(r *schemas.Row) string { return schemas.FormatID(r.EventID, string(r.EventRef)) }
