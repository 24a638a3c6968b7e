package verify

import (
	"maps"

	"github.com/coldstream/coldstream/schemas"
)

// places are what events say of whole channels and guilds.
type places struct {
	guilds   map[int64]map[int64]struct{} // guild → channels that an event put into it
	channels map[int64]schemas.Version    // latest delete of a channel
	removed  map[int64]schemas.Version    // and of a guild
}

func newPlaces() places {
	return places{map[int64]map[int64]struct{}{}, map[int64]schemas.Version{}, map[int64]schemas.Version{}}
}

// add notes what row i of b says.
func (p places) add(b *schemas.Batch, i int) {
	if b.Type[i] == schemas.TypeOther {
		return
	}
	if b.Fields[i].Has(schemas.FieldGuild | schemas.FieldChannel) {
		if p.guilds[b.GuildID[i]] == nil {
			p.guilds[b.GuildID[i]] = map[int64]struct{}{}
		}
		p.guilds[b.GuildID[i]][b.ChannelID[i]] = struct{}{}
	}
	version := schemas.Version{Rank: schemas.RankOf(b.Type[i]), Event: b.EventID[i], Policy: b.Policy}
	switch b.Type[i] {
	case schemas.TypeChannelDeleted:
		later(p.channels, b.ChannelID[i], version)
	case schemas.TypeGuildDeleted:
		later(p.removed, b.GuildID[i], version)
	}
}

func later(m map[int64]schemas.Version, id int64, v schemas.Version) {
	if have, ok := m[id]; !ok || v.Compare(have) > 0 {
		m[id] = v
	}
}

// covers are the latest deletes by channel, those of its guilds included.
func (p places) covers() map[int64]schemas.Version {
	all := maps.Clone(p.channels)
	for guild, version := range p.removed {
		for channel := range p.guilds[guild] {
			later(all, channel, version)
		}
	}
	return all
}

// changed lists the channels of which more events change the latest delete.
func (p places) changed(more places) map[int64]struct{} {
	before, both := p.covers(), newPlaces()
	for _, from := range []places{p, more} {
		for guild, channels := range from.guilds {
			if both.guilds[guild] == nil {
				both.guilds[guild] = map[int64]struct{}{}
			}
			maps.Copy(both.guilds[guild], channels)
		}
		for id, version := range from.channels {
			later(both.channels, id, version)
		}
		for id, version := range from.removed {
			later(both.removed, id, version)
		}
	}
	channels := map[int64]struct{}{}
	for id, version := range both.covers() {
		if old, ok := before[id]; !ok || old != version {
			channels[id] = struct{}{}
		}
	}
	return channels
}
