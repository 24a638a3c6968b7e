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
	excused  bool // it need not be there: a policy dropped a record of it
	altered  bool
	rows     int32 // in the lake
}

// place is one valid record: where it stands, which event it carries, and what it says of it: an event that is sent again
// may say something else, and any of its records may be the one that the lake keeps.
type place struct {
	offset  int64
	facts   uint64 // hash of what no policy changes
	content uint64 // hash of the rest under the present policy
	event   int32  // nowhere: the present policy drops it
	rows    int32  // in the lake
}

// nowhere is the event of a record that the present policy drops.
const nowhere = -1

// logIndex is what the topic holds.
type logIndex struct {
	events  []event
	byKey   map[eventKey]int32
	dropped map[eventKey]struct{} // by the present policy, or an earlier one
	places  map[int32][]place     // by partition, ascending

	droppedMessages map[MessageKey]struct{} // those of events that the present policy drops
}

// topic reads and decodes every record in range.
func (v *run) topic(ctx context.Context) error {
	v.log = logIndex{byKey: map[eventKey]int32{}, dropped: map[eventKey]struct{}{}, places: map[int32][]place{}, droppedMessages: map[MessageKey]struct{}{}}
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
		return v.judge(b, r)
	})
}

// judge puts a decoded record through the chain and notes what becomes of it.
func (v *run) judge(b *schemas.Batch, r Record) error {
	key, message := eventKey{b.EventID[0], b.EventHash[0]}, MessageKey{b.ChannelID[0], b.MessageID[0], b.MessageHash[0]}
	if err := v.cfg.Redactor.Process(b); err != nil {
		return fmt.Errorf("process partition %d offset %d: %w", r.Partition, r.Offset, err)
	}
	refused := len(b.Refused()) > 0
	if b.Compact(); b.Len() > 0 && !b.Leaves(0) {
		earlier, err := v.droppedEarlier(r)
		if err != nil {
			return err
		}
		if earlier {
			v.log.dropped[key] = struct{}{}
		}
		v.add(b, r)
		if earlier && b.Type[0] == schemas.TypeCreated {
			v.state.at(MessageKey{b.ChannelID[0], b.MessageID[0], b.MessageHash[0]}).excused = true
		}
		return nil
	}
	v.log.dropped[key] = struct{}{}
	v.log.droppedMessages[message] = struct{}{}
	if refused {
		v.result.Topic.Dead++
	} else {
		v.result.DroppedByPolicy++
	}
	v.log.places[r.Partition] = append(v.log.places[r.Partition], place{offset: r.Offset, event: nowhere})
	return nil
}

// droppedEarlier says whether a policy of before, under which the record may have been processed, dropped it.
func (v *run) droppedEarlier(r Record) (bool, error) {
	for _, chain := range v.cfg.Earlier {
		b := schemas.GetBatch()
		err := v.cfg.Decoder.Decode(b, r)
		if err == nil {
			err = chain.Process(b)
		}
		b.Compact()
		gone := b.Len() == 0 || b.Leaves(0)
		b.Release()
		if err != nil {
			return false, fmt.Errorf("an earlier policy on partition %d offset %d: %w", r.Partition, r.Offset, err)
		}
		if gone {
			return true, nil
		}
	}
	return false, nil
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
	// A record of it that a policy dropped makes dedup drop this one, if they stand near enough.
	_, excused := v.log.dropped[key]
	v.log.events[i].excused = v.log.events[i].excused || excused
	if r.Offset < v.position[r.Partition] {
		v.log.events[i].expected = true
	}
	v.log.places[r.Partition] = append(v.log.places[r.Partition], place{offset: r.Offset, event: i, facts: facts(b, 0), content: changed(b, 0)})
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

// hasher hashes columns of one row.
type hasher struct{ *xxh3.Hasher }

func (h hasher) numbers(all ...int64) {
	var n [8]byte
	for _, x := range all {
		binary.LittleEndian.PutUint64(n[:], uint64(x))
		_, _ = h.Write(n[:])
	}
}

func (h hasher) texts(b *schemas.Batch, all ...schemas.Text) {
	for _, t := range all {
		h.numbers(int64(t.Len))
		_, _ = h.Write(b.Bytes(t))
	}
}

// facts is a hash of what a row of the lake says of an event whatever the policy, but where it stood.
func facts(b *schemas.Batch, i int) uint64 {
	h := hasher{xxh3.New()}
	// The lake has what a resolver did among the extra fields, and a policy may set a content or take a user away.
	h.numbers(int64(b.Fields[i]&^(schemas.FieldResolves|schemas.FieldContent|schemas.FieldUser)),
		b.EventID[i], b.GuildID[i], b.ChannelID[i], b.MessageID[i], b.Time[i])
	h.texts(b, b.TypeName[i], b.EventRef[i], b.MessageRef[i], b.ChannelRef[i], b.GuildRef[i])
	return h.Sum64()
}

// changed is a hash of what a policy may change.
func changed(b *schemas.Batch, i int) uint64 {
	h := hasher{xxh3.New()}
	h.numbers(int64(b.Fields[i]&(schemas.FieldContent|schemas.FieldUser)), b.UserID[i])
	h.texts(b, b.Content[i], b.Extra[i], b.UserRef[i], b.GuildName[i], b.ChannelName[i], b.UserName[i])
	return h.Sum64()
}

func contentHash(b *schemas.Batch, i int) uint64 { return xxh3.Hash(b.Bytes(b.Content[i])) }
