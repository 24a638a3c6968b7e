package schemas

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"time"
)

// Text is one value of a text column: a range of the batch's arena.
type Text struct{ Off, Len uint32 }

// Fields says which optional values an event has.
type Fields uint16

// The optional values of an event. FieldMessage means that MessageID is known; an opaque target that is not resolved
// yet has a MessageRef and a MessageHash only.
const (
	FieldGuild Fields = 1 << iota
	FieldChannel
	FieldMessage
	FieldUser
	FieldContent
	FieldResolves // a resolver completed it
)

// Has reports whether all of want are set.
func (f Fields) Has(want Fields) bool { return f&want == want }

// Batch is a set of events as a struct of arrays: row i is element i of every slice. Text lies in one arena, so that a
// batch costs a handful of allocations and an event none; a text column is Arrow's string view without its inlined
// prefix. Times are Unix microseconds, UTC.
//
// Ownership: a batch belongs to one goroutine at a time. Whoever receives it by a call may change it until the call
// returns; a sink that keeps rows copies them. Bytes returned by Bytes are valid until Release. Release gives it back
// to the pool and may be called once, by the one who called GetBatch.
type Batch struct {
	EventID     []int64
	EventHash   []uint64 // of the opaque event id; 0 for a Snowflake
	Type        []Type
	Fields      []Fields
	GuildID     []int64
	ChannelID   []int64
	MessageID   []int64
	MessageHash []uint64 // of the opaque message id; 0 for a Snowflake
	UserID      []int64
	Time        []int64 // event time
	Redactions  []int32

	TypeName    []Text
	Content     []Text
	Extra       []Text // a JSON object, or empty
	EventRef    []Text // opaque ids as they came; empty for Snowflakes
	MessageRef  []Text
	ChannelRef  []Text
	GuildRef    []Text
	UserRef     []Text
	GuildName   []Text
	ChannelName []Text
	UserName    []Text

	Source    []int32 // index in the table's list of sources
	Partition []int32
	Offset    []int64
	KafkaTime []int64

	// Policy is the version of the redaction policy that the whole batch went through; 0 for none.
	Policy uint32

	arena []byte
	names [nameSlots]Text // texts that came lately and are likely to come again
	drop  []bool
	drops int
	kept  bool

	refused []Refused
	routes  []uint64 // by row, one bit a topic of routeTo; shorter than the columns where the rest is unmarked
	routeTo []string
}

// Ref names a row of one of several batches.
type Ref struct{ Batch, Row int32 }

// maxArena bounds the text of a batch, so that 32-bit ranges suffice.
const maxArena = 1 << 30

var pool freeList

// GetBatch takes an empty batch from the pool.
func GetBatch() *Batch { return pool.get() }

// Release empties the batch and gives it back to the pool.
func (b *Batch) Release() {
	if cap(b.arena) > 64<<20 { // one huge batch must not pin memory for ever
		return
	}
	b.Reset()
	pool.put(b)
}

// Keep makes the batch the caller's, who releases it: whoever lent it takes another.
func (b *Batch) Keep() { b.kept = true }

// Kept reports whether somebody has called Keep.
func (b *Batch) Kept() bool { return b.kept }

// rowBytes is what the columns of a row take beside its text.
const rowBytes = 8*8 + 2*8 + 3*4 + 11*8 + 1 + 2

// Footprint is about the memory that the batch holds, used or not, in bytes.
func (b *Batch) Footprint() int { return cap(b.EventID)*rowBytes + cap(b.arena) }

// Used is about the part of Footprint that rows and text fill.
func (b *Batch) Used() int { return len(b.EventID)*rowBytes + len(b.arena) }

// Len is the number of rows.
func (b *Batch) Len() int { return len(b.EventID) }

// TextBytes is the size of the arena: about the memory that the batch's text takes.
func (b *Batch) TextBytes() int { return len(b.arena) }

// Full reports whether the arena cannot surely take another event of the largest size.
func (b *Batch) Full() bool { return len(b.arena)+4*MaxEventBytes > maxArena }

// Bytes is the value of a text; the caller must not change or keep it.
func (b *Batch) Bytes(t Text) []byte { return b.arena[t.Off : t.Off+t.Len : t.Off+t.Len] }

// String is the value of a text, copied.
func (b *Batch) String(t Text) string { return string(b.Bytes(t)) }

// AddText puts bytes into the arena.
func (b *Batch) AddText(p []byte) Text {
	if len(p) == 0 { // most are: small enough to be inlined
		return Text{}
	}
	return b.addText(p)
}

func (b *Batch) addText(p []byte) Text {
	if cap(b.arena)-len(b.arena) < len(p) {
		b.arena = slices.Grow(b.arena, max(len(p), len(b.arena)/2))
	}
	t := Text{Off: uint32(len(b.arena)), Len: uint32(len(p))}
	b.arena = append(b.arena, p...)
	return t
}

const (
	nameSlots = 512 // a power of two
	maxName   = 64  // bytes of a text that is worth looking for
)

// addName is AddText for values that repeat: names, and ids of the places that many events share. One that came lately is
// not put into the arena again.
func (b *Batch) addName(p []byte) Text {
	if len(p) == 0 {
		return Text{}
	}
	if len(p) > maxName {
		return b.addText(p)
	}
	last := &b.names[nameSlot(p)]
	if t := *last; int(t.Len) == len(p) && string(b.arena[t.Off:t.Off+t.Len]) == string(p) {
		return t
	}
	*last = b.addText(p)
	return *last
}

// nameSlot is where a text is looked for: by its first and last eight bytes, which tell names apart well enough.
func nameSlot(p []byte) uint64 {
	h := uint64(len(p))
	if len(p) >= 8 {
		h ^= binary.LittleEndian.Uint64(p)*0x9e3779b97f4a7c15 ^ bits.RotateLeft64(binary.LittleEndian.Uint64(p[len(p)-8:]), 29)
	} else {
		for _, c := range p {
			h = h<<8 ^ uint64(c)
		}
	}
	return h * 0x9e3779b97f4a7c15 >> (64 - 9)
}

// Arena lends the arena for appending in place: f returns it with one value appended, which becomes the Text.
func (b *Batch) Arena(f func(dst []byte) []byte) Text {
	off := len(b.arena)
	b.arena = f(b.arena)
	return Text{Off: uint32(off), Len: uint32(len(b.arena) - off)}
}

// Row is one event on its way into a batch. Slices are copied by Append.
type Row struct {
	EventID, GuildID, ChannelID, MessageID, UserID int64
	EventHash, MessageHash                         uint64
	Type                                           Type
	Fields                                         Fields
	Time                                           int64
	Redactions                                     int32

	TypeName, Content, Extra                            []byte
	EventRef, MessageRef, ChannelRef, GuildRef, UserRef []byte
	GuildName, ChannelName, UserName                    []byte
	Source, Partition                                   int32
	Offset, KafkaTime                                   int64
}

// minRows is the room that the first row makes.
const minRows = 16

// Append adds a row. Where there is no room it makes half as much again: append alone would add a quarter, and copy a
// batch of a million rows more often.
func (b *Batch) Append(r *Row) {
	n := len(b.EventID)
	if n == cap(b.EventID) {
		b.apply(grower{max(minRows, n/2)})
	}
	// Room is what append would look for in every column again.
	b.EventID = put(b.EventID, n, r.EventID)
	b.EventHash = put(b.EventHash, n, r.EventHash)
	b.Type = put(b.Type, n, r.Type)
	b.Fields = put(b.Fields, n, r.Fields)
	b.GuildID = put(b.GuildID, n, r.GuildID)
	b.ChannelID = put(b.ChannelID, n, r.ChannelID)
	b.MessageID = put(b.MessageID, n, r.MessageID)
	b.MessageHash = put(b.MessageHash, n, r.MessageHash)
	b.UserID = put(b.UserID, n, r.UserID)
	b.Time = put(b.Time, n, r.Time)
	b.Redactions = put(b.Redactions, n, r.Redactions)
	b.Source = put(b.Source, n, r.Source)
	b.Partition = put(b.Partition, n, r.Partition)
	b.Offset = put(b.Offset, n, r.Offset)
	b.KafkaTime = put(b.KafkaTime, n, r.KafkaTime)
	b.TypeName = put(b.TypeName, n, b.addName(r.TypeName))
	b.Content = put(b.Content, n, b.AddText(r.Content))
	b.Extra = put(b.Extra, n, b.AddText(r.Extra))
	b.EventRef = put(b.EventRef, n, b.AddText(r.EventRef))
	b.MessageRef = put(b.MessageRef, n, b.AddText(r.MessageRef))
	b.ChannelRef = put(b.ChannelRef, n, b.addName(r.ChannelRef))
	b.GuildRef = put(b.GuildRef, n, b.addName(r.GuildRef))
	b.UserRef = put(b.UserRef, n, b.addName(r.UserRef))
	b.GuildName = put(b.GuildName, n, b.addName(r.GuildName))
	b.ChannelName = put(b.ChannelName, n, b.addName(r.ChannelName))
	b.UserName = put(b.UserName, n, b.addName(r.UserName))
}

// put sets element n of a column that ends there. Columns grow together, and where one has less room than the first it
// grows by itself.
func put[T any](s []T, n int, v T) []T {
	if n >= cap(s) {
		return append(s, v)
	}
	s = s[:n+1]
	s[n] = v
	return s
}

// Row fills r with row i; its slices point into the arena.
func (b *Batch) Row(i int, r *Row) {
	*r = Row{
		EventID: b.EventID[i], EventHash: b.EventHash[i], Type: b.Type[i], Fields: b.Fields[i],
		GuildID: b.GuildID[i], ChannelID: b.ChannelID[i], MessageID: b.MessageID[i], MessageHash: b.MessageHash[i],
		UserID: b.UserID[i], Time: b.Time[i], Redactions: b.Redactions[i],
		TypeName: b.Bytes(b.TypeName[i]), Content: b.Bytes(b.Content[i]), Extra: b.Bytes(b.Extra[i]),
		EventRef: b.Bytes(b.EventRef[i]), MessageRef: b.Bytes(b.MessageRef[i]), ChannelRef: b.Bytes(b.ChannelRef[i]),
		GuildRef: b.Bytes(b.GuildRef[i]), UserRef: b.Bytes(b.UserRef[i]),
		GuildName: b.Bytes(b.GuildName[i]), ChannelName: b.Bytes(b.ChannelName[i]), UserName: b.Bytes(b.UserName[i]),
		Source: b.Source[i], Partition: b.Partition[i], Offset: b.Offset[i], KafkaTime: b.KafkaTime[i],
	}
}

// AppendFrom copies row i of another batch.
func (b *Batch) AppendFrom(from *Batch, i int) {
	var r Row
	from.Row(i, &r)
	b.Append(&r)
}

// Event is row i in row form, with copies of its text.
func (b *Batch) Event(i int) Event {
	f := b.Fields[i]
	id := func(has Fields, n int64, ref Text) string {
		if ref.Len == 0 && !f.Has(has) {
			return ""
		}
		return FormatID(n, b.String(ref))
	}
	e := Event{
		EventID: id(0, b.EventID[i], b.EventRef[i]), Type: b.String(b.TypeName[i]),
		GuildID: id(FieldGuild, b.GuildID[i], b.GuildRef[i]), ChannelID: id(FieldChannel, b.ChannelID[i], b.ChannelRef[i]),
		MessageID: id(FieldMessage, b.MessageID[i], b.MessageRef[i]), UserID: id(FieldUser, b.UserID[i], b.UserRef[i]),
		Content: b.String(b.Content[i]), HasContent: f.Has(FieldContent), Time: time.UnixMicro(b.Time[i]).UTC(),
		GuildName: b.String(b.GuildName[i]), ChannelName: b.String(b.ChannelName[i]), UserName: b.String(b.UserName[i]),
		Extra: slices.Clone(b.Bytes(b.Extra[i])),
	}
	if b.Type[i].HasTarget() && b.MessageRef[i].Len > 0 && f.Has(FieldMessage) {
		e.ResolvedID = b.MessageID[i]
	}
	return e
}

// NeedsResolution reports whether row i is an edit, delete or restore whose channel or message cannot be known from the
// event itself. State ignores it; the event that a resolver publishes in its stead counts.
func (b *Batch) NeedsResolution(i int) bool {
	return b.Type[i].HasTarget() && !b.Fields[i].Has(FieldChannel|FieldMessage)
}
