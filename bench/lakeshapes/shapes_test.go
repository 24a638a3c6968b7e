package lakeshapes_test

import (
	"math/rand/v2"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// event is one event of a shape: when it reaches the worker, and what its own time says.
type event struct {
	arrives, at time.Time
	partition   int32
	channel     int64
}

// shape is one kind of traffic.
type shape struct {
	name    string
	about   string
	workers int                         // share the partitions
	backlog bool                        // everything is there at once: the clock stands still while it is read
	make    func(s *scale) []event      // in the order of arrival
	repeats func(s *scale, n int) []int // positions of events that are sent again, from farther apart than deduplication sees
}

// scale is how much of each shape is made.
type scale struct {
	span   time.Duration // of the shapes of one day
	events int           // in that span
	years  int           // days with events in the fourteen years
}

var (
	small = scale{span: 2 * time.Hour, events: 4_000, years: 20}
	full  = scale{span: 24 * time.Hour, events: 400_000, years: 365}
)

const partitions = 4

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// steady is traffic at one rate, by channels.
func steady(s *scale, channels int64) []event {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([]event, s.events)
	apart := s.span / time.Duration(s.events)
	for i := range all {
		at := monday.Add(time.Duration(i) * apart)
		c := r.Int64N(channels)
		all[i] = event{arrives: at, at: at, channel: c, partition: int32(c % partitions)}
	}
	return all
}

// shifted lets a share of the events have another time than that of their arrival.
func shifted(s *scale, share float64, by func(*rand.Rand) time.Duration) []event {
	r := rand.New(rand.NewPCG(3, 4))
	all := steady(s, 100)
	for i := range all {
		if r.Float64() < share {
			all[i].at = all[i].at.Add(by(r))
		}
	}
	return all
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

// years is an import: channel after channel, each from its beginning to its end.
func years(s *scale) []event {
	const channels = 4
	first := time.Date(2004, 7, 5, 0, 0, 0, 0, time.UTC)
	step := 14 * 365 * 24 * time.Hour / time.Duration(s.years)
	each := max(1, s.events/4/channels/s.years)
	r := rand.New(rand.NewPCG(5, 6))
	var all []event
	for c := range int64(channels) {
		for d := range s.years {
			day := first.Add(time.Duration(d) * step).Truncate(24 * time.Hour)
			for i := range each {
				at := day.Add(time.Duration(i)*24*time.Hour/time.Duration(each) + time.Duration(r.Int64N(1000))*time.Millisecond)
				all = append(all, event{arrives: monday, at: at, channel: c, partition: int32(c)})
			}
		}
	}
	return all
}

var shapes = []shape{
	{name: "steady", about: "one rate, 100 channels, one worker", make: func(s *scale) []event { return steady(s, 100) }},
	{name: "lagging restart", about: "the same, read from a backlog at once", backlog: true, make: func(s *scale) []event { return steady(s, 100) }},
	{name: "fourteen years", about: "an import, channel after channel of 4", backlog: true, make: years},
	{name: "idle topic", about: "an event in more than an hour", make: func(s *scale) []event {
		few := *s
		few.events = max(2, int(s.span/(70*time.Minute)))
		return steady(&few, 100)
	}},
	{name: "one hot partition", about: "95 of 100 events in one of 4 partitions, two workers", workers: 2, make: func(s *scale) []event {
		r := rand.New(rand.NewPCG(7, 8))
		all := steady(s, 100)
		for i := range all {
			if r.Float64() < 0.95 {
				all[i].channel, all[i].partition = 0, 0
			}
		}
		return all
	}},
	{name: "hours late", about: "2 of 100 events by 1 to 12 hours", make: func(s *scale) []event {
		return shifted(s, 0.02, func(r *rand.Rand) time.Duration { return -between(r, time.Hour, 12*time.Hour) })
	}},
	{name: "days late", about: "2 of 100 events by 1 to 10 days", make: func(s *scale) []event {
		return shifted(s, 0.02, func(r *rand.Rand) time.Duration { return -between(r, 24*time.Hour, 240*time.Hour) })
	}},
	{name: "from the future", about: "2 of 100 events by up to 24 hours", make: func(s *scale) []event {
		return shifted(s, 0.02, func(r *rand.Rand) time.Duration { return between(r, time.Minute, 24*time.Hour) })
	}},
	{name: "sent again", about: "5 of 100 events once more, hours later, in another partition", make: func(s *scale) []event {
		all := steady(s, 100)
		return all
	}, repeats: func(_ *scale, n int) (again []int) {
		for i := 0; i < n; i += 20 {
			again = append(again, i)
		}
		return again
	}},
	{name: "10,000 channels", about: "one rate, one worker", make: func(s *scale) []event { return steady(s, 10_000) }},
	{name: "1 channel", about: "one rate, one worker", make: func(s *scale) []event { return steady(s, 1) }},
}

var words = []string{
	"the", "to", "and", "a", "of", "is", "it", "in", "you", "that", "for", "on", "have", "be", "with", "this", "not", "but", "are", "can",
	"build", "deploy", "server", "release", "today", "tomorrow", "please", "thanks", "maybe", "error", "fixed", "review", "merge", "branch", "lunch", "coffee",
}

// row is an event as the codec would decode it: n makes its id, and its text of 4 to 24 words.
func (e *event) row(n int, r *rand.Rand, text []byte) (schemas.Row, []byte) {
	text = text[:0]
	for range 4 + r.IntN(21) {
		text = append(append(text, words[r.IntN(len(words))]...), ' ')
	}
	id := schemas.DiscordEpoch.ID(e.at.UnixMilli(), uint64(n)&0x3fffff)
	return schemas.Row{
		EventID: id, MessageID: id, ChannelID: 1000 + e.channel, GuildID: 1, UserID: int64(r.IntN(500)), Type: schemas.TypeCreated,
		TypeName: []byte("message.created"), Fields: schemas.FieldGuild | schemas.FieldChannel | schemas.FieldMessage | schemas.FieldUser | schemas.FieldContent,
		Time: e.at.UnixMicro(), Content: text, Partition: e.partition, KafkaTime: e.arrives.UnixMicro(),
	}, text
}
