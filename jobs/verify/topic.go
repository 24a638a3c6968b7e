package verify

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/zeebo/xxh3"

	"github.com/coldstream/coldstream/schemas"
)

// eventKey names an event.
type eventKey struct {
	id   int64
	hash uint64
}

// event is what became of an event.
type event struct {
	expected bool // a record of it stands below the table's position
	altered  bool
	rows     int32 // in the lake
}

// place is one valid record: where it stands, which event it carries, and what it says of it: an event that is sent again
// may say something else, and any of its records may be the one that the lake keeps.
type place struct {
	offset  int64
	facts   uint64 // hash of everything but content
	content uint64 // hash of the content under the present policy
	event   int32
	rows    int32 // in the lake
}

// logIndex is what the topic holds.
type logIndex struct {
	events []event
	byKey  map[eventKey]int32
	places map[int32][]place // by partition, ascending
}

// topic reads and decodes every record in range.
func (v *run) topic(ctx context.Context) error {
	v.log = logIndex{byKey: map[eventKey]int32{}, places: map[int32][]place{}}
	var total int64
	for _, s := range v.result.Range {
		total += s.Next - s.From
	}
	b := schemas.GetBatch()
	defer b.Release()
	return v.cfg.Log.Read(ctx, v.result.Range, func(r Record) error {
		v.result.Topic.Records++
		if v.result.Topic.Records%10_000 == 0 {
			v.cfg.Progress("topic", v.result.Topic.Records, total)
		}
		v.late(r)
		b.Reset()
		err := v.cfg.Decoder.Decode(b, r)
		var refused *schemas.Refusal
		switch {
		case errors.As(err, &refused):
			v.result.Topic.Dead++
			return nil
		case err != nil:
			return fmt.Errorf("decode partition %d offset %d: %w", r.Partition, r.Offset, err)
		}
		if err := v.cfg.Redactor.Process(b); err != nil {
			return fmt.Errorf("redact partition %d offset %d: %w", r.Partition, r.Offset, err)
		}
		if b.Dropped(0) {
			v.result.DroppedByPolicy++
			return nil
		}
		v.add(b, r)
		return nil
	})
}

// late counts a record that a part has not come to.
func (v *run) late(r Record) {
	age := v.cfg.Now().Sub(r.Time).Seconds()
	count := func(l *LagResult) {
		l.Records++
		l.Seconds = max(l.Seconds, age)
	}
	if v.cfg.Hot != nil && r.Offset >= v.hotNext[r.Partition] {
		count(&v.result.Lag.Hot)
	}
	if v.cfg.Lake == nil {
		return
	}
	switch committed := r.Offset < v.position[r.Partition]; {
	case committed:
	case r.Offset >= v.coldNext[r.Partition]:
		count(&v.result.Lag.Cold)
	default:
		count(&v.result.Lag.Commit)
	}
}

func (v *run) add(b *schemas.Batch, r Record) {
	key := eventKey{b.EventID[0], b.EventHash[0]}
	i, again := v.log.byKey[key]
	if again {
		v.result.Topic.Repeats++
	} else {
		v.result.Topic.Events++
		i = int32(len(v.log.events))
		v.log.byKey[key] = i
		v.log.events = append(v.log.events, event{})
	}
	if r.Offset < v.position[r.Partition] {
		v.log.events[i].expected = true
	}
	v.log.places[r.Partition] = append(v.log.places[r.Partition], place{offset: r.Offset, event: i, facts: facts(b, 0), content: contentHash(b, 0)})
	switch {
	case v.cfg.Hot == nil:
	case r.Offset < v.hotNext[r.Partition]:
		v.apply(v.state, b, 0)
		v.places.add(b, 0)
	default:
		v.touch(b, 0)
	}
}

// find is the record at an offset, if it carries a valid event.
func (l *logIndex) find(partition int32, offset int64) *place {
	ps := l.places[partition]
	i := sort.Search(len(ps), func(i int) bool { return ps[i].offset >= offset })
	if i == len(ps) || ps[i].offset != offset {
		return nil
	}
	return &ps[i]
}

// facts is a hash of everything that a row of the lake says of an event, but its content and where it stood.
func facts(b *schemas.Batch, i int) uint64 {
	h := xxh3.New()
	var n [8]byte
	num := func(x int64) {
		binary.LittleEndian.PutUint64(n[:], uint64(x))
		_, _ = h.Write(n[:])
	}
	text := func(t schemas.Text) {
		num(int64(t.Len))
		_, _ = h.Write(b.Bytes(t))
	}
	f := b.Fields[i] &^ schemas.FieldResolves // the lake has it among the extra fields
	num(int64(f))
	for _, x := range []int64{b.EventID[i], b.GuildID[i], b.ChannelID[i], b.MessageID[i], b.UserID[i], b.Time[i]} {
		num(x)
	}
	for _, t := range []schemas.Text{
		b.TypeName[i], b.Extra[i], b.EventRef[i], b.MessageRef[i], b.ChannelRef[i], b.GuildRef[i], b.UserRef[i],
		b.GuildName[i], b.ChannelName[i], b.UserName[i],
	} {
		text(t)
	}
	return h.Sum64()
}

func contentHash(b *schemas.Batch, i int) uint64 { return xxh3.Hash(b.Bytes(b.Content[i])) }
