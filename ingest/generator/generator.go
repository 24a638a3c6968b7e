package generator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind says what Next made.
type Kind uint8

// The kinds of records. End means that there is none any more.
const (
	End Kind = iota
	Created
	Edited
	Deleted
	Repeat // an earlier record again, to the byte
	Bad    // refused by the pipeline
)

const (
	minLate = 6 * time.Minute
	maxLate = 6 * time.Hour
	// remembered is how many messages can still be edited or deleted.
	remembered = 4096
	// maxApart is how many records an exact repeat stands behind its first, at most.
	maxApart = 1000
	// sequences is how many of a millisecond's 4,096 ids the stream takes; the rest is for late events, so that the two
	// never meet.
	sequences = 2048
)

// Stats counts what was made so far, with the names that the result of `coldstream generate` has. Records = Events +
// Repeats + Dead, and Events = Created + Edited + Deleted; Late ones are among Created.
type Stats struct {
	Records int64 `json:"records"`
	Events  int64 `json:"events"`
	Repeats int64 `json:"repeats"`
	Dead    int64 `json:"dead"`
	Created int64 `json:"created"`
	Edited  int64 `json:"edited"`
	Deleted int64 `json:"deleted"`
	Late    int64 `json:"late"`
}

// message is one that was made and can be edited or deleted.
type message struct {
	id      int64
	ms      int64
	channel int32
	user    int32
	lang    int32
	gone    bool
}

// repeat is a record waiting to be sent again.
type repeat struct {
	at         int64 // number of the record that it becomes, at least
	value, key []byte
}

// Generator makes records one after the other. It belongs to one goroutine.
type Generator struct {
	opt      Options
	stats    Stats
	rng      *rand.Rand
	write    writer
	sched    *schedule
	channels []channel
	users    []user
	busy     zipf // channels
	active   zipf // users

	edits, deletes, late, duplicates, bad     *picker
	wantEdits, wantDeletes, wantLate, wantBad int64

	recent  [remembered]message
	made    int64 // messages ever
	repeats []repeat

	ms, seq   int64 // of the last id
	burst     int   // events left of the burst under way
	burstAt   int
	lateCount int64
	second    int64 // what stamp holds
	stamp     []byte
	valid     []byte // scratch of bad records
}

// New makes a generator.
func New(o Options) (*Generator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.defaults()
	languages, err := newLanguages()
	if err != nil {
		return nil, fmt.Errorf("generate: read words: %w", err)
	}
	g := &Generator{opt: o, rng: random(o.Seed, 3), users: newUsers(&o), channels: newChannels(&o, len(languages)), sched: newSchedule(&o)}
	g.write = writer{rng: random(o.Seed, 4), languages: languages, users: g.users}
	g.busy, g.active = newZipf(o.Channels, 1.05, 2), newZipf(o.Users, 0.8, 3)
	g.edits, g.deletes = newPicker(o.Edits, random(o.Seed, 10)), newPicker(o.Deletes, random(o.Seed, 11))
	g.late, g.duplicates = newPicker(o.Late, random(o.Seed, 12)), newPicker(o.Duplicates, random(o.Seed, 13))
	g.bad = newPicker(o.Bad, random(o.Seed, 14))
	g.ms, g.second = -1<<62, -1<<62
	return g, nil
}

// Stats says what was made so far.
func (g *Generator) Stats() Stats { return g.stats }

// Next appends the next record's value to dst, which may be nil, and returns it with the record's key: the channel's id.
// The key must not be changed. After the last record kind is End and value is dst.
func (g *Generator) Next(dst []byte) (value, key []byte, kind Kind) {
	over := g.opt.Events > 0 && g.stats.Events >= g.opt.Events
	if len(g.repeats) > 0 && (over || g.stats.Records >= g.repeats[0].at) {
		r := g.repeats[0]
		g.repeats = g.repeats[1:]
		g.stats.Records++
		g.stats.Repeats++
		return append(dst, r.value...), r.key, Repeat
	}
	if g.wantBad > 0 {
		g.wantBad--
		value, key = g.appendBad(dst)
		g.stats.Records++
		g.stats.Dead++
		return value, key, Bad
	}
	if over {
		return dst, nil, End
	}
	return g.event(dst)
}

// event makes the next distinct valid event.
func (g *Generator) event(dst []byte) (value, key []byte, kind Kind) {
	i := g.stats.Events
	for _, p := range []struct {
		p    *picker
		want *int64
	}{{g.edits, &g.wantEdits}, {g.deletes, &g.wantDeletes}, {g.late, &g.wantLate}, {g.bad, &g.wantBad}} {
		if p.p.pick(i) {
			*p.want++
		}
	}
	g.tick(g.sched.at(i))
	value, key, kind = g.change(dst)
	if kind == End {
		value, key = g.create(dst)
		kind = Created
	}
	g.stats.Records++
	g.stats.Events++
	if g.duplicates.pick(i) {
		again := append([]byte(nil), value[len(dst):]...)
		g.remind(repeat{at: g.stats.Records + g.rng.Int64N(maxApart), value: again, key: key})
	}
	return value, key, kind
}

// remind keeps the repeats in the order of their turn.
func (g *Generator) remind(r repeat) {
	g.repeats = append(g.repeats, r)
	for i := len(g.repeats) - 1; i > 0 && g.repeats[i-1].at > r.at; i-- {
		g.repeats[i-1], g.repeats[i] = g.repeats[i], g.repeats[i-1]
	}
}

// tick moves the stream's time.
func (g *Generator) tick(ms int64) {
	if ms > g.ms {
		g.ms, g.seq = ms, -1
	}
}

// id is the next Snowflake at the stream's time.
func (g *Generator) id() int64 {
	if g.seq++; g.seq == sequences {
		g.ms, g.seq = g.ms+1, 0
	}
	return g.opt.Epoch.ID(g.ms, uint64(g.opt.Node)<<12|uint64(g.seq))
}

// lateID is a Snowflake of the past.
func (g *Generator) lateID() (id, ms int64) {
	n := g.lateCount
	g.lateCount++
	ms = g.ms - minLate.Milliseconds() - g.rng.Int64N((maxLate - minLate).Milliseconds())
	ms = ms - ms&63 + n/sequences&63 // so that 131,072 late events in a row differ for certain
	return g.opt.Epoch.ID(ms, uint64(g.opt.Node)<<12|uint64(sequences+n%sequences)), ms
}

// place picks the channel of a new message: by how busy it is, or the one in which a burst of talk is under way.
func (g *Generator) place() int {
	if g.burst == 0 && g.rng.IntN(500) == 0 {
		g.burst, g.burstAt = 20+g.rng.IntN(300), g.busy.draw(g.rng)
	}
	if g.burst > 0 {
		g.burst--
		if g.rng.IntN(10) < 7 {
			return g.burstAt
		}
	}
	return g.busy.draw(g.rng)
}

func (g *Generator) create(dst []byte) (value, key []byte) {
	at := g.place()
	m := message{channel: int32(at), user: int32(g.active.draw(g.rng)), lang: int32(g.channels[at].language)}
	if g.wantLate > 0 {
		g.wantLate--
		g.stats.Late++
		m.id, m.ms = g.lateID()
	} else {
		m.id = g.id() // which may move the time
		m.ms = g.ms
	}
	g.stats.Created++
	value = g.appendCreated(dst, &m)
	g.recent[g.made%remembered] = m
	g.made++
	return value, g.channels[at].key
}

// change edits or deletes a message, if that is wanted and there is one.
func (g *Generator) change(dst []byte) (value, key []byte, kind Kind) {
	if g.wantDeletes == 0 && g.wantEdits == 0 {
		return dst, nil, End
	}
	m := g.existing()
	if m == nil {
		return dst, nil, End
	}
	key = g.channels[m.channel].key
	if g.wantDeletes > 0 {
		g.wantDeletes--
		g.stats.Deleted++
		m.gone = true
		return g.appendDeleted(dst, g.id(), m), key, Deleted
	}
	g.wantEdits--
	g.stats.Edited++
	return g.appendEdited(dst, g.id(), m), key, Edited
}

// existing picks a message that is not deleted, rather a young one.
func (g *Generator) existing() *message {
	n := min(g.made, remembered)
	for range 8 {
		if n == 0 {
			break
		}
		u := g.rng.Float64()
		back := 1 + int64(u*u*u*float64(n-1))
		if m := &g.recent[(g.made-back)%remembered]; !m.gone {
			return m
		}
	}
	return nil
}
