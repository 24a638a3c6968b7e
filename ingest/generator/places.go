package generator

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// channelsPerGuild is how many channels a guild has.
const channelsPerGuild = 12

// channel is one channel, with the pieces of JSON that every event in it has.
type channel struct {
	key      []byte
	ids      string // "guild_id":…,"channel_id":…
	names    string // ,"guild_name":…,"channel_name":…
	language int
}

// user is one person.
type user struct {
	id   string // ,"user_id":…
	name string // ,"user_name":…
	at   string // a mention of them
}

var (
	adjectives = strings.Fields("quiet brave amber lucky clever swift gentle cosmic frozen golden hidden mellow nimble olive plain rapid silver sunny tiny velvet wild young azure bold calm dusty early fancy giant happy")
	nouns      = strings.Fields("fox otter river comet maple falcon lantern harbor pixel badger cedar dragon ember forest glacier heron island jackal koala lemon meadow nebula orchid panda quartz raven sparrow tiger umbra walrus")
	topics     = strings.Fields("general random help dev ops music games art food travel books movies support news memes pets sports jobs offtopic showcase feedback announcements design backend frontend mobile data security hardware gardening")
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// made is the id of something made long before the chat: in the first two years of the epoch.
func made(e schemas.Epoch, r *rand.Rand) string {
	const year = 365 * 24 * 3600_000
	return strconv.FormatInt(e.ID(int64(e)+year+r.Int64N(year), r.Uint64()), 10)
}

func newChannels(o *Options, languages int) []channel {
	r := random(o.Seed, 1)
	all := make([]channel, o.Channels)
	var guild, guildName string
	for i := range all {
		if i%channelsPerGuild == 0 {
			guild = made(o.Epoch, r)
			guildName = title(pick(r, nouns))
		}
		id, name := made(o.Epoch, r), topics[i%len(topics)]
		if i >= len(topics) {
			name += "-" + strconv.Itoa(i/len(topics)+1)
		}
		c := &all[i]
		c.key = []byte(id)
		c.ids = `"guild_id":"` + guild + `","channel_id":"` + id + `"`
		c.names = `,"guild_name":` + quoted(guildName) + `,"channel_name":` + quoted(name)
		if r.IntN(5) == 0 {
			c.language = r.IntN(languages)
		}
	}
	return all
}

func newUsers(o *Options) []user {
	r := random(o.Seed, 2)
	all := make([]user, o.Users)
	for i := range all {
		id := made(o.Epoch, r)
		name := pick(r, adjectives) + pick(r, nouns)
		switch r.IntN(4) {
		case 0:
			name += strconv.Itoa(r.IntN(1000))
		case 1:
			name = pick(r, adjectives) + "_" + pick(r, nouns)
		}
		all[i] = user{id: `,"user_id":"` + id + `"`, name: `,"user_name":` + quoted(name), at: "<@" + id + ">"}
	}
	return all
}

func quoted(s string) string { return string(codec.AppendString(nil, s)) }

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
