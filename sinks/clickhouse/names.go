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

// nameCache remembers which names were sent, so that only a new or a changed one costs an insert.
type nameCache struct {
	seed maphash.Seed
	seen map[nameKey]nameSeen
}

func newNameCache() *nameCache {
	return &nameCache{seed: maphash.MakeSeed(), seen: map[nameKey]nameSeen{}}
}

// forget is for when it is unknown what became of names that were sent.
func (c *nameCache) forget() { clear(c.seen) }

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
	k := nameKey{kind, id}
	now := nameSeen{maphash.Bytes(c.seed, b.Bytes(name)), b.EventID[i]}
	if last, ok := c.seen[k]; ok {
		if last.version >= now.version {
			return
		}
		if last.hash == now.hash {
			c.seen[k] = now
			return
		}
	}
	if len(c.seen) >= maxNames {
		clear(c.seen)
	}
	c.seen[k] = now
	n.kind = append(n.kind, kind)
	n.id = append(n.id, id)
	n.ref.AppendBytes(b.Bytes(ref))
	n.name.AppendBytes(b.Bytes(name))
	n.version = append(n.version, now.version)
}
