package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"
)

// column is a column, or an element of a tuple, in ClickHouse's Native layout. ch-go's columns are all of these.
type column interface {
	Reset()
	EncodeColumn(b *proto.Buffer)
}

// field is a column of a table: one element, or the elements of a tuple one after the other.
type field struct {
	name, typ string
	elements  []column
}

// version says which value of a part wins; an absent part has rank -1, below everything.
type version struct {
	rank   proto.ColInt8
	event  proto.ColInt64
	policy proto.ColUInt32
}

const versionType = "rank Int8, version Int64, policy UInt32, "

func (v *version) add(x stamp) {
	v.rank = append(v.rank, x.rank)
	v.event = append(v.event, x.event)
	v.policy = append(v.policy, x.policy)
}

func (v *version) with(rest ...column) []column {
	return append([]column{&v.rank, &v.event, &v.policy}, rest...)
}

// stateColumns are the columns of the table `state`.
type stateColumns struct {
	channel, inv           proto.ColInt64
	refHash                proto.ColUInt64
	late                   proto.ColUInt8
	week                   proto.ColUInt32
	messageRef, channelRef proto.ColStr

	guildKnown proto.ColUInt8
	guildID    proto.ColInt64
	guildRef   proto.ColStr

	author      version
	authorID    proto.ColInt64
	authorRef   proto.ColStr
	authorKnown proto.ColUInt8
	authorAt    proto.ColInt64

	content     version
	contentText proto.ColStr
	contentAt   proto.ColInt64

	deleted     version
	deletedFlag proto.ColUInt8
	deletedAt   proto.ColInt64

	extra     version
	extraJSON proto.ColStr

	search     version
	searchText proto.ColStr
	noSearch   bool // no words are made

	list []field
}

func newStateColumns() *stateColumns {
	s := new(stateColumns)
	one := func(c column) []column { return []column{c} }
	const at = "at DateTime64(6, 'UTC'))" // microseconds: an Int64 on the wire
	s.list = []field{
		{"channel_id", "Int64", one(&s.channel)},
		{"inv", "Int64", one(&s.inv)},
		{"ref_hash", "UInt64", one(&s.refHash)},
		{"late", "UInt8", one(&s.late)},
		{"week", "UInt32", one(&s.week)},
		{"message_ref", "String", one(&s.messageRef)},
		{"channel_ref", "String", one(&s.channelRef)},
		{"guild", "Tuple(known UInt8, id Int64, ref String)", []column{&s.guildKnown, &s.guildID, &s.guildRef}},
		{"author", "Tuple(" + versionType + "id Int64, ref String, known UInt8, " + at, s.author.with(&s.authorID, &s.authorRef, &s.authorKnown, &s.authorAt)},
		{"content", "Tuple(" + versionType + "text String, " + at, s.content.with(&s.contentText, &s.contentAt)},
		{"deleted", "Tuple(" + versionType + "flag UInt8, " + at, s.deleted.with(&s.deletedFlag, &s.deletedAt)},
		{"extra", "Tuple(" + versionType + "json String)", s.extra.with(&s.extraJSON)},
		{"search", "Tuple(" + versionType + "text String)", s.search.with(&s.searchText)},
	}
	return s
}

const stateInsert = "INSERT INTO state (channel_id, inv, ref_hash, late, week, message_ref, channel_ref, guild, author, content, deleted, extra, search) FORMAT Native"

// rowBytes is about what a row takes beside its text.
const rowBytes = 200

func (s *stateColumns) rows() int { return len(s.inv) }

func (s *stateColumns) bytes() int {
	return s.rows()*rowBytes + len(s.contentText.Buf) + len(s.searchText.Buf) + len(s.extraJSON.Buf) + len(s.messageRef.Buf) + len(s.channelRef.Buf) +
		len(s.authorRef.Buf) + len(s.guildRef.Buf)
}

func (s *stateColumns) reset() {
	for _, f := range s.list {
		for _, c := range f.elements {
			c.Reset()
		}
	}
}

// nameColumns are the columns of the table `names`.
type nameColumns struct {
	kind      proto.ColInt8
	id        proto.ColInt64
	ref, name proto.ColStr
	version   proto.ColInt64
	list      []field
}

func newNameColumns() *nameColumns {
	n := new(nameColumns)
	n.list = []field{
		{"kind", "Enum8('guild' = 1, 'channel' = 2, 'user' = 3)", []column{&n.kind}},
		{"id", "Int64", []column{&n.id}},
		{"ref", "String", []column{&n.ref}},
		{"name", "String", []column{&n.name}},
		{"version", "Int64", []column{&n.version}},
	}
	return n
}

const namesInsert = "INSERT INTO names (kind, id, ref, name, version) FORMAT Native"

func (n *nameColumns) rows() int { return len(n.id) }

func (n *nameColumns) reset() {
	for _, f := range n.list {
		f.elements[0].Reset()
	}
}

// encode appends rows [from, to) as one block in the Native format of revision 0: counts, then name, type and data of
// each column (https://clickhouse.com/docs/interfaces/formats/Native).
func encode(buf *proto.Buffer, list []field, from, to int) {
	buf.PutUVarInt(uint64(len(list)))
	buf.PutUVarInt(uint64(to - from))
	for _, f := range list {
		buf.PutString(f.name)
		buf.PutString(f.typ)
		for _, c := range f.elements {
			cut(c, from, to).EncodeColumn(buf)
		}
	}
}

// cut is rows [from, to) of a column, without a copy.
func cut(c column, from, to int) column {
	switch c := c.(type) {
	case *proto.ColInt8:
		s := (*c)[from:to]
		return &s
	case *proto.ColUInt8:
		s := (*c)[from:to]
		return &s
	case *proto.ColUInt32:
		s := (*c)[from:to]
		return &s
	case *proto.ColInt64:
		s := (*c)[from:to]
		return &s
	case *proto.ColUInt64:
		s := (*c)[from:to]
		return &s
	case *proto.ColStr:
		return &proto.ColStr{Buf: c.Buf, Pos: c.Pos[from:to]}
	default:
		panic("hot sink: a column of unknown type")
	}
}
