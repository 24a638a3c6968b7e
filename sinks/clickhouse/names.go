package clickhouse

import (
	"hash/maphash"

	"github.com/coldstream/coldstream/schemas"
)

// maxNames bounds the cache: about 32 bytes an entry. Beyond it the cache starts anew, which costs inserts only.
const maxNames = 1 << 18

const (
	kindGuild = iota + 1
	kindChannel
	kindUser
)

type nameKey struct {
	kind int8
	id   int64
}

type nameSeen struct {
	hash    uint64
	version int64
}

// recentNames is a table in front of the map, so that a name that is seen again costs a comparison: a place for each key.
const recentNames = 1 << 13

// nameCache remembers which names were sent, so that only a new or a changed one costs an insert. What stands in recent
// is newer than what the map says of the same key.
type nameCache struct {
	seed   maphash.Seed
	recent [recentNames]struct {
		nameKey
		nameSeen
	}
	seen map[nameKey]nameSeen
}

func newNameCache() *nameCache {
	return &nameCache{seed: maphash.MakeSeed(), seen: map[nameKey]nameSeen{}}
}

// forget is for when it is unknown what became of names that were sent.
func (c *nameCache) forget() {
	clear(c.recent[:])
	clear(c.seen)
}

// find is the place of a key in recent, with what is known of it; ok says that something is.
func (c *nameCache) find(k nameKey) (at *nameSeen, ok bool) {
	// The high bits of a Snowflake vary more than the low ones: spread them (Fibonacci hashing).
	slot := &c.recent[(uint64(k.id)*0x9e3779b97f4a7c15+uint64(k.kind)<<61)>>(64-13)]
	if slot.nameKey == k {
		return &slot.nameSeen, true
	}
	if slot.kind != 0 {
		if len(c.seen) >= maxNames {
			clear(c.seen)
		}
		c.seen[slot.nameKey] = slot.nameSeen
	}
	slot.nameKey = k
	slot.nameSeen, ok = c.seen[k]
	return &slot.nameSeen, ok
}

// add appends the names of row i of b that are new, or newer and different.
func (c *nameCache) add(n *nameColumns, b *schemas.Batch, i int) {
	f := b.Fields[i]
	if b.GuildName[i].Len > 0 && f.Has(schemas.FieldGuild) {
		c.one(n, b, i, kindGuild, b.GuildID[i], b.GuildRef[i], b.GuildName[i])
	}
	if b.ChannelName[i].Len > 0 && f.Has(schemas.FieldChannel) {
		c.one(n, b, i, kindChannel, b.ChannelID[i], b.ChannelRef[i], b.ChannelName[i])
	}
	if b.UserName[i].Len > 0 && f.Has(schemas.FieldUser) {
		c.one(n, b, i, kindUser, b.UserID[i], b.UserRef[i], b.UserName[i])
	}
}

func (c *nameCache) one(n *nameColumns, b *schemas.Batch, i int, kind int8, id int64, ref, name schemas.Text) {
	last, ok := c.find(nameKey{kind, id})
	version := b.EventID[i]
	if ok && last.version >= version {
		return
	}
	hash := maphash.Bytes(c.seed, b.Bytes(name))
	same := ok && last.hash == hash
	*last = nameSeen{hash, version}
	if same {
		return
	}
	n.kind.add(kind)
	n.id.add(id)
	n.ref.add(b.Bytes(ref))
	n.name.add(b.Bytes(name))
	n.version.add(version)
}
