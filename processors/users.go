package processors

import (
	"github.com/coldstream/coldstream/processors/pseudonym"
	"github.com/coldstream/coldstream/schemas"
)

// kindOfUser keeps the pseudonyms of users apart from other texts'.
const kindOfUser = "user"

// cachedUsers bounds what a partition remembers of users' pseudonyms: about 100 bytes each.
const cachedUsers = 1 << 16

// users gives the users of events pseudonyms. A pseudonym is an opaque id: its text stands in the column user_ref and the
// number made from it in user_id, as for any id that is no Snowflake, so that both stay joinable. The name goes: beside it
// a pseudonym would tell nothing new.
type users struct {
	ring  *pseudonym.Ring
	known map[user]known
	id    []byte
	text  []byte
}

type user struct {
	id  int64
	key int
}

type known struct {
	ref string
	id  int64
}

func newUsers(r *pseudonym.Ring) *users { return &users{ring: r, known: map[user]known{}} }

// Process replaces the ids and takes the names away.
func (u *users) Process(b *schemas.Batch) error {
	for i := range b.UserID {
		ref := b.Bytes(b.UserRef[i])
		if !b.Fields[i].Has(schemas.FieldUser) && len(ref) == 0 {
			b.UserName[i] = schemas.Text{}
			continue
		}
		if u.ring.Is(ref) { // one that was through here before: a replay, or the resolver's
			b.UserName[i] = schemas.Text{}
			continue
		}
		k := u.of(b.UserID[i], ref, u.ring.KeyAt(b.Time[i]))
		b.UserID[i], b.UserName[i] = k.id, schemas.Text{}
		u.text = append(u.text[:0], k.ref...)
		b.UserRef[i] = b.AddText(u.text)
	}
	return nil
}

// of is the pseudonym of a user, by the number, which is that of the text for an opaque id.
func (u *users) of(id int64, ref []byte, key int) known {
	// Two opaque texts may share a number; their pseudonyms must not depend on which came first.
	cacheable := len(ref) == 0
	if k, ok := u.known[user{id, key}]; ok && cacheable {
		return k
	}
	u.id = append(u.id[:0], schemas.FormatID(id, string(ref))...)
	u.text = u.ring.Append(u.text[:0], key, kindOfUser, u.id)
	k := known{ref: string(u.text), id: schemas.OpaqueNumber(schemas.HashRef(u.text))}
	if cacheable {
		if len(u.known) >= cachedUsers {
			clear(u.known)
		}
		u.known[user{id, key}] = k
	}
	return k
}
