package clickhouse

import (
	"github.com/coldstream/coldstream/schemas"
)

// placeRow is a row of the table `channels`: a channel, and a guild that an event has put it in.
type placeRow struct {
	Guild      int64  `json:"guild_id"`
	Channel    int64  `json:"channel_id"`
	GuildRef   string `json:"guild_ref"`
	ChannelRef string `json:"channel_ref"`
}

const placesInsert = "INSERT INTO channels (guild_id, channel_id, guild_ref, channel_ref) FORMAT JSONEachRow"

type pair struct{ guild, channel int64 }

const (
	// maxPairs bounds the pairs that are remembered as sent, about 40 bytes each; beyond it all are forgotten, which
	// costs inserts only.
	maxPairs = 1 << 18
	// recentPairs is a table in front of them, so that an event of a busy channel costs a comparison.
	recentPairs = 1 << 12
)

// placeCache remembers which pairs of guild and channel were sent.
type placeCache struct {
	recent [recentPairs]pair
	seen   map[pair]struct{}
}

func newPlaceCache() *placeCache { return &placeCache{seen: map[pair]struct{}{}} }

// forget is for when it is unknown what became of pairs that were sent.
func (c *placeCache) forget() {
	clear(c.recent[:])
	clear(c.seen)
}

// add appends the pair of row i of b to the block if it is new.
func (c *placeCache) add(k *block, b *schemas.Batch, i int) {
	if !b.Fields[i].Has(schemas.FieldGuild | schemas.FieldChannel) {
		return
	}
	p := pair{b.GuildID[i], b.ChannelID[i]}
	// The high bits of a Snowflake vary more between channels than the low ones: spread them (Fibonacci hashing).
	slot := &c.recent[uint64(p.channel)*0x9e3779b97f4a7c15>>(64-12)]
	if *slot == p && p != (pair{}) {
		return
	}
	*slot = p
	if _, ok := c.seen[p]; ok {
		return
	}
	if len(c.seen) >= maxPairs {
		clear(c.seen)
	}
	c.seen[p] = struct{}{}
	k.places = append(k.places, placeRow{p.guild, p.channel, b.String(b.GuildRef[i]), b.String(b.ChannelRef[i])})
}

// removal is a row of the table `removals`: the delete of a whole channel or guild.
type removal struct {
	Kind string         `json:"kind"`
	ID   int64          `json:"id"`
	Ref  string         `json:"ref"`
	Last removalVersion `json:"last"`
}

type removalVersion struct {
	Version int64  `json:"version"`
	Policy  uint32 `json:"policy"`
	At      string `json:"at"`
}

const removalsInsert = "INSERT INTO removals (kind, id, ref, last) FORMAT JSONEachRow"

func removalOf(b *schemas.Batch, i int) removal {
	r := removal{Kind: "channel", ID: b.ChannelID[i], Ref: b.String(b.ChannelRef[i])}
	if b.Type[i] == schemas.TypeGuildDeleted {
		r.Kind, r.ID, r.Ref = "guild", b.GuildID[i], b.String(b.GuildRef[i])
	}
	r.Last = removalVersion{b.EventID[i], b.Policy, microTime(b.Time[i])}
	return r
}
