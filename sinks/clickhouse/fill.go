package clickhouse

import (
	"bytes"
	"time"

	"github.com/buger/jsonparser"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// filler turns the rows of batches into rows of a block.
type filler struct {
	codec   codec.JSON
	names   *nameCache
	places  *placeCache
	stats   *counters
	arrival int64 // of the batch at hand, in Unix microseconds
}

// add appends all rows of b.
func (f *filler) add(k *block, b *schemas.Batch, topic string) {
	source := k.topic(topic)
	for i := range b.Len() {
		if b.Dropped(i) {
			continue
		}
		f.names.add(k.names, b, i)
		if b.Type[i] != schemas.TypeOther {
			f.places.add(k, b, i)
		}
		switch t := b.Type[i]; {
		case t == schemas.TypeOther:
			f.stats.ignored.Add(1)
		case t == schemas.TypeChannelDeleted || t == schemas.TypeGuildDeleted:
			k.removals = append(k.removals, removalOf(b, i))
		case t == schemas.TypeBulkDeleted:
			f.bulk(k, b, i, topic)
		case b.NeedsResolution(i) && stillWaiting(b, i):
			f.stats.ignored.Add(1)
		case b.NeedsResolution(i):
			k.wait(waitingEvent(b, i, topic))
		default:
			k.state.addEvent(f.key(b, i), b, i, messageExtra(b, i))
		}
		k.from(origin{source, b.Partition[i], b.Offset[i]})
	}
}

// key is where the message of row i lies.
func (f *filler) key(b *schemas.Batch, i int) key {
	k := key{
		channel: b.ChannelID[i], message: b.MessageID[i], hash: b.MessageHash[i],
		channelRef: b.Bytes(b.ChannelRef[i]), ref: b.Bytes(b.MessageRef[i]),
	}
	k.late, k.week = place(f.codec.Epoch, k.message, f.arrival)
	return k
}

// messageExtra is the extra that belongs to the message: all but the resolver's mark.
func messageExtra(b *schemas.Batch, i int) []byte {
	extra := b.Bytes(b.Extra[i])
	if !b.Fields[i].Has(schemas.FieldResolves) {
		return extra
	}
	if rest := withoutMark(extra); len(rest) > 2 {
		return rest
	}
	return nil
}

// withoutMark is an extra object without the member that names the event which a resolver completed.
func withoutMark(extra []byte) []byte {
	if !bytes.Contains(extra, []byte(`"resolves"`)) {
		return extra
	}
	return jsonparser.Delete(bytes.Clone(extra), "resolves")
}

// What a DateTime64 can say. Event times lie within, as the decoder sees to it; the time of a record is whatever its
// producer wrote.
var (
	firstTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2299, 12, 31, 23, 59, 59, 999e6, time.UTC)
)

// dateTime is a time in Unix microseconds as ClickHouse reads a DateTime64(3); one outside of its range becomes the
// nearest within.
func dateTime(us int64) string {
	us = min(max(us, firstTime.UnixMicro()), lastTime.UnixMicro())
	return time.UnixMicro(us).UTC().Format("2006-01-02 15:04:05.000")
}

// microTime is an event's time in Unix microseconds as ClickHouse reads a DateTime64(6).
func microTime(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04:05.000000") }

// bulk expands a bulk delete into the deletes of its messages; those that it does not name well enough wait.
func (f *filler) bulk(k *block, b *schemas.Batch, i int, topic string) {
	err := f.codec.BulkTargets(b, i, func(text []byte, n int64, known bool) {
		if !known || !b.Fields[i].Has(schemas.FieldChannel) {
			k.wait(waitingBulk(b, i, topic, string(text), known))
			return
		}
		row := key{channel: b.ChannelID[i], message: n, channelRef: b.Bytes(b.ChannelRef[i])}
		row.late, row.week = place(f.codec.Epoch, n, f.arrival)
		k.state.addEvent(row, b, i, nil)
	})
	if err != nil { // the decoder has checked the list, so an event without one was made by something else
		f.stats.ignored.Add(1)
	}
}
