package clickhouse

import "encoding/binary"

// field is a column of a table: one element, or the elements of a tuple one after the other.
type field struct {
	name, typ string
	elements  []column
}

// version says which value of a part wins; an absent part has rank -1, below everything.
type version struct {
	rank   numbers[int8]
	event  numbers[int64]
	policy numbers[uint32]
}

const versionType = "rank Int8, version Int64, policy UInt32, "

func (v *version) add(x stamp) {
	v.rank.add(x.rank)
	v.event.add(x.event)
	v.policy.add(x.policy)
}

func (v *version) with(rest ...column) []column {
	return append([]column{&v.rank, &v.event, &v.policy}, rest...)
}

// stateColumns are the columns of the table `state`.
type stateColumns struct {
	channel, inv           numbers[int64]
	refHash                numbers[uint64]
	late                   numbers[uint8]
	week                   numbers[uint32]
	messageRef, channelRef texts

	guildKnown numbers[uint8]
	guildID    numbers[int64]
	guildRef   texts

	author      version
	authorID    numbers[int64]
	authorRef   texts
	authorKnown numbers[uint8]
	authorAt    numbers[int64]

	content     version
	contentText texts
	contentAt   numbers[int64]

	deleted     version
	deletedFlag numbers[uint8]
	deletedAt   numbers[int64]

	extra     version
	extraJSON texts

	search     version
	searchText texts
	words      []byte // of the row at hand
	noSearch   bool   // no words are made

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

func (s *stateColumns) rows() int { return len(s.inv) }

func (s *stateColumns) bytes() int { return s.rows()*stateWidth + textBytes(s.list) }

func (s *stateColumns) reset() { reset(s.list) }

// stateWidth is what a row's numbers take.
const stateWidth = 8 + 8 + 8 + 1 + 4 + (1 + 8) + 5*(1+8+4) + (8 + 1 + 8) + 8 + (1 + 8)

// textBytes is what the texts of all rows take.
func textBytes(list []field) (n int) {
	for _, f := range list {
		for _, c := range f.elements {
			if t, ok := c.(*texts); ok {
				n += t.size()
			}
		}
	}
	return n
}

func reset(list []field) {
	for _, f := range list {
		for _, c := range f.elements {
			c.reset()
		}
	}
}

// sizes are the bytes of each element, one after the other.
func sizes(list []field) (out []int) {
	for _, f := range list {
		for _, c := range f.elements {
			out = append(out, c.size())
		}
	}
	return out
}

// makeRoom gives columns room for sizes, and for some more.
func makeRoom(list []field, sizes []int) {
	for _, f := range list {
		for _, c := range f.elements {
			c.room(sizes[0] + sizes[0]/16)
			sizes = sizes[1:]
		}
	}
}

// nameColumns are the columns of the table `names`.
type nameColumns struct {
	kind      numbers[int8]
	id        numbers[int64]
	ref, name texts
	version   numbers[int64]
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

func (n *nameColumns) reset() { reset(n.list) }

// encode is rows [from, to) as one block in the Native format of revision 0: counts, then name, type and data of each
// column (https://clickhouse.com/docs/interfaces/formats/Native). The data are the columns' own memory.
func encode(list []field, from, to int) segments {
	head := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(list))), uint64(to-from))
	var out segments
	for _, f := range list {
		for _, text := range []string{f.name, f.typ} {
			head = append(binary.AppendUvarint(head, uint64(len(text))), text...)
		}
		out = append(out, head)
		head = nil
		for _, c := range f.elements {
			out = append(out, c.wire(from, to))
		}
	}
	return out
}
