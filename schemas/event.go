package schemas

import (
	"fmt"
	"time"
)

// MaxEventBytes is the largest value of a record that the pipeline takes: 1 MiB.
const MaxEventBytes = 1 << 20

// MaxFuture is how far an event's time may lie after its record's time.
const MaxFuture = 24 * time.Hour

// Type is what an event says.
type Type uint8

// The types that change the state of a message, and TypeOther for any other: archived with its fields in extra, and
// ignored by the state.
const (
	TypeOther Type = iota
	TypeCreated
	TypeEdited
	TypeDeleted
	TypeRestored
	TypeBulkDeleted
	TypeChannelDeleted
	TypeGuildDeleted
)

var typeNames = [...]string{
	TypeCreated: "message.created", TypeEdited: "message.edited", TypeDeleted: "message.deleted", TypeRestored: "message.restored",
	TypeBulkDeleted: "message.bulk_deleted", TypeChannelDeleted: "channel.deleted", TypeGuildDeleted: "guild.deleted",
}

// String is the type's name on the wire; empty for TypeOther.
func (t Type) String() string { return typeNames[t] }

// ParseType finds a type by its name on the wire; TypeOther if it is none of ours.
func ParseType[T string | []byte](name T) Type {
	for t := TypeCreated; t <= TypeGuildDeleted; t++ {
		if string(name) == typeNames[t] {
			return t
		}
	}
	return TypeOther
}

// HasTarget reports whether events of this type change one message made by another event.
func (t Type) HasTarget() bool { return t == TypeEdited || t == TypeDeleted || t == TypeRestored }

// Event is one event in row form, as producers and importers write it. An empty id is an absent one. Ids are decimal
// numbers or opaque texts. For types that have a target, MessageID is the target.
type Event struct {
	EventID    string
	Type       string // empty: the consumer reads the document by its shape
	GuildID    string
	ChannelID  string
	MessageID  string
	UserID     string
	Content    string
	HasContent bool
	Time       time.Time // zero: absent, the Snowflake's time counts
	GuildName  string
	ChannelName,
	UserName string
	// ResolvedID is the message's number where MessageID is opaque and a resolver has found it; else 0.
	ResolvedID int64
	// Extra is a JSON object of all other fields, or nil.
	Extra []byte
}

// Refusal is why an event cannot be taken; it becomes the header `error` of a dead letter.
type Refusal struct {
	Code   string // stable, e.g. "json", "timestamp"
	Detail string // a sentence on which a producer can act
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Detail }

// Refusef makes a Refusal.
func Refusef(code, format string, a ...any) *Refusal {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, a...)}
}

// DeadLetter is a record that was refused, with where it came from.
type DeadLetter struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      time.Time // the record's
	Key       []byte
	Value     []byte
	Stage     string // decode, redact, insert, resolve
	Error     string
	Schema    string // the schema id of a registry, if any
}

// ID is the dead letter's key: topic:partition:offset.
func (d *DeadLetter) ID() string { return fmt.Sprintf("%s:%d:%d", d.Topic, d.Partition, d.Offset) }
