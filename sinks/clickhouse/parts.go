package clickhouse

import (
	"time"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/search"
)

// stamp is a schemas.Version as the columns have it; absent says that a row does not have the part.
type stamp struct {
	rank   int8
	event  int64
	policy uint32
}

var absent = stamp{rank: -1}

func stampOf(b *schemas.Batch, i int) stamp {
	return stamp{rank: int8(schemas.RankOf(b.Type[i])), event: b.EventID[i], policy: b.Policy}
}

// key is where a row of the state table lies.
type key struct {
	channel, message int64
	hash             uint64
	channelRef, ref  []byte
	late             uint8
	week             uint32
}

// An event lies in the partition of its message's week if it arrives at most lateAfter after the message, and at most
// earlyBefore before it.
const (
	lateAfter   = 28 * 24 * time.Hour
	earlyBefore = 7 * 24 * time.Hour
)

// place finds the partition of a row: of the message's week, or late and of the week of arrival. arrival is the wall
// clock in Unix microseconds, not the record's time, which a producer may have set: so a block lies in seven partitions
// at most (two more where a week begins while it fills), whatever it holds. ClickHouse refuses an insert into more than
// 100.
func place(epoch schemas.Epoch, message, arrival int64) (late uint8, week uint32) {
	ms := epoch.Millis(message)
	if age := arrival/1000 - ms; age > lateAfter.Milliseconds() || age < -earlyBefore.Milliseconds() {
		return 1, weekOf(arrival)
	}
	return 0, weekOf(ms * 1000)
}

// weekOf is the Monday of a time in Unix microseconds, as YYYYMMDD.
func weekOf(us int64) uint32 {
	day := schemas.DayOf(us)
	monday := day - schemas.Day(((int64(day)+3)%7+7)%7) // 1970-01-01 was a Thursday
	y, m, d := monday.Start().Date()
	return uint32(y*10000 + int(m)*100 + d)
}

// addKey appends what every row has.
func (s *stateColumns) addKey(k key, b *schemas.Batch, i int) {
	s.channel.add(k.channel)
	s.inv.add(-k.message)
	s.refHash.add(k.hash)
	s.late.add(k.late)
	s.week.add(k.week)
	s.messageRef.add(k.ref)
	s.channelRef.add(k.channelRef)
	if b.Fields[i].Has(schemas.FieldGuild) {
		s.addGuild(1, b.GuildID[i], b.Bytes(b.GuildRef[i]))
	} else {
		s.addGuild(0, 0, nil)
	}
}

func (s *stateColumns) addGuild(known uint8, id int64, ref []byte) {
	s.guildKnown.add(known)
	s.guildID.add(id)
	s.guildRef.add(ref)
}

// addEvent appends what row i of b says about the message at k. extra is the message's extra: the event's, without
// what only the resolver's bookkeeping needs.
func (s *stateColumns) addEvent(k key, b *schemas.Batch, i int, extra []byte) {
	s.addKey(k, b, i)
	at := stampOf(b, i)
	switch b.Type[i] {
	case schemas.TypeCreated:
		s.addAuthor(at, b, i)
		s.addContent(at, b.Bytes(b.Content[i]), 0)
		s.addDeleted(absent, 0, 0)
		s.addExtra(at, extra)
	case schemas.TypeEdited:
		s.addNoAuthor()
		if b.Fields[i].Has(schemas.FieldContent) {
			s.addContent(at, b.Bytes(b.Content[i]), b.Time[i])
		} else {
			s.addContent(absent, nil, 0)
		}
		s.addDeleted(absent, 0, 0)
		if len(extra) > 0 {
			s.addExtra(at, extra)
		} else {
			s.addExtra(absent, nil)
		}
	case schemas.TypeRestored:
		s.addDeletion(at, 0, b.Time[i])
	default: // a delete, alone or one of many
		s.addDeletion(at, 1, b.Time[i])
	}
}

func (s *stateColumns) addDeletion(at stamp, flag uint8, us int64) {
	s.addNoAuthor()
	s.addContent(absent, nil, 0)
	s.addDeleted(at, flag, us)
	s.addExtra(absent, nil)
}

func (s *stateColumns) addAuthor(at stamp, b *schemas.Batch, i int) {
	s.author.add(at)
	s.authorID.add(b.UserID[i])
	s.authorRef.add(b.Bytes(b.UserRef[i]))
	var known uint8
	if b.Fields[i].Has(schemas.FieldUser) {
		known = 1
	}
	s.authorKnown.add(known)
	s.authorAt.add(b.Time[i])
}

func (s *stateColumns) addNoAuthor() {
	s.author.add(absent)
	s.authorID.add(0)
	s.authorRef.add(nil)
	s.authorKnown.add(0)
	s.authorAt.add(0)
}

func (s *stateColumns) addContent(at stamp, text []byte, us int64) {
	s.content.add(at)
	s.contentText.add(text)
	s.contentAt.add(us)
	s.addSearch(at, text)
}

// addSearch appends the words of a content, under the content's version.
func (s *stateColumns) addSearch(at stamp, text []byte) {
	if s.noSearch {
		at, text = absent, nil
	}
	s.search.add(at)
	s.words = search.AppendIndexed(s.words[:0], text)
	s.searchText.add(s.words)
}

func (s *stateColumns) addDeleted(at stamp, flag uint8, us int64) {
	s.deleted.add(at)
	s.deletedFlag.add(flag)
	s.deletedAt.add(us)
}

func (s *stateColumns) addExtra(at stamp, json []byte) {
	s.extra.add(at)
	s.extraJSON.add(json)
}
