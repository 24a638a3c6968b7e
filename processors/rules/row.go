package rules

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/coldstream/coldstream/schemas"
)

// Field is one variable of an expression.
type Field struct {
	Name    string
	Doc     string
	celType *cel.Type
	get     func(r *Row) any
}

func number(name, doc string, column func(b *schemas.Batch) []int64) Field {
	return Field{name, doc, cel.IntType, func(r *Row) any { return types.Int(column(r.b)[r.i]) }}
}

func text(name, doc string, column func(b *schemas.Batch) []schemas.Text) Field {
	return Field{name, doc, cel.StringType, func(r *Row) any { return types.String(view(r.b.Bytes(column(r.b)[r.i]))) }}
}

func moment(name, doc string, column func(b *schemas.Batch) []int64) Field {
	return Field{name, doc, cel.TimestampType, func(r *Row) any { return types.Timestamp{Time: time.UnixMicro(column(r.b)[r.i]).UTC()} }}
}

// Fields are the variables. They have the names of the lake's columns; what an event does not have is 0 or empty.
var Fields = []Field{
	number("event.event_id", "The event's id, or the number made from an opaque one.", func(b *schemas.Batch) []int64 { return b.EventID }),
	text("event.event_ref", "The event's id where it is an opaque text, else empty. So are the other refs.", func(b *schemas.Batch) []schemas.Text { return b.EventRef }),
	{"event.type", "What happened, such as message.created.", cel.StringType, func(r *Row) any { return types.String(r.typeName()) }},
	number("event.guild_id", "The guild.", func(b *schemas.Batch) []int64 { return b.GuildID }),
	text("event.guild_ref", "", func(b *schemas.Batch) []schemas.Text { return b.GuildRef }),
	text("event.guild_name", "The guild's name, where the event carries it.", func(b *schemas.Batch) []schemas.Text { return b.GuildName }),
	number("event.channel_id", "The channel.", func(b *schemas.Batch) []int64 { return b.ChannelID }),
	text("event.channel_ref", "", func(b *schemas.Batch) []schemas.Text { return b.ChannelRef }),
	text("event.channel_name", "The channel's name, where the event carries it.", func(b *schemas.Batch) []schemas.Text { return b.ChannelName }),
	number("event.message_id", "The message, or the target of an edit, delete or restore.", func(b *schemas.Batch) []int64 { return b.MessageID }),
	text("event.message_ref", "", func(b *schemas.Batch) []schemas.Text { return b.MessageRef }),
	number("event.user_id", "The author.", func(b *schemas.Batch) []int64 { return b.UserID }),
	text("event.user_ref", "", func(b *schemas.Batch) []schemas.Text { return b.UserRef }),
	text("event.user_name", "The author's name, where the event carries it.", func(b *schemas.Batch) []schemas.Text { return b.UserName }),
	text("event.content", "The text; as it came before the stage redact, redacted after it.", func(b *schemas.Batch) []schemas.Text { return b.Content }),
	moment("event.event_time", "When it happened.", func(b *schemas.Batch) []int64 { return b.Time }),
	{"event.redactions", "How many values were redacted; 0 before the stage redact.", cel.IntType, func(r *Row) any { return types.Int(r.b.Redactions[r.i]) }},
	{"event.extra", "All other fields of the event.", cel.MapType(cel.StringType, cel.DynType), func(r *Row) any { return &r.extra }},
	{"event.kafka_partition", "The partition of its record.", cel.IntType, func(r *Row) any { return types.Int(r.b.Partition[r.i]) }},
	number("event.kafka_offset", "The offset of its record.", func(b *schemas.Batch) []int64 { return b.Offset }),
	moment("event.kafka_time", "The time of its record.", func(b *schemas.Batch) []int64 { return b.KafkaTime }),
}

var byName = func() map[string]*Field {
	m := make(map[string]*Field, len(Fields))
	for i := range Fields {
		m[Fields[i].Name] = &Fields[i]
	}
	return m
}()

// Row is the event that expressions look at.
type Row struct {
	b     *schemas.Batch
	i     int
	extra object
}

// At points at row i of b. What an expression saw of a row before it changed is forgotten.
func (r *Row) At(b *schemas.Batch, i int) {
	r.b, r.i = b, i
	r.extra.reset(b.Bytes(b.Extra[i]))
}

// ResolveName is part of CEL's Activation.
func (r *Row) ResolveName(name string) (any, bool) {
	f, ok := byName[name]
	if !ok {
		return nil, false
	}
	return f.get(r), true
}

// Parent is part of CEL's Activation.
func (r *Row) Parent() cel.Activation { return nil }

func (r *Row) typeName() string {
	if t := r.b.Type[r.i]; t != schemas.TypeOther {
		return t.String()
	}
	return view(r.b.Bytes(r.b.TypeName[r.i]))
}
