package clickhouse

import (
	"bytes"
	"encoding/json"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// waiting is a row of the table `unresolved`; its fields are the table's columns. Completed is what the resolver will
// publish once it knows channel and message.
type waiting struct {
	ID         string `json:"id"`
	EventID    string `json:"event_id"`
	Event      string `json:"event"`
	Completed  string `json:"completed"`
	Target     string `json:"target"`
	TargetHash uint64 `json:"target_hash"`
	TargetID   int64  `json:"target_id"`
	Decimal    uint8  `json:"decimal"`
	ChannelID  int64  `json:"channel_id"`
	HasChannel uint8  `json:"has_channel"`
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	Offset     int64  `json:"offset"`
	Seen       string `json:"seen"`
}

const waitingInsert = "INSERT INTO unresolved (id, event_id, event, completed, target, target_hash, target_id, decimal, channel_id, has_channel, topic, partition, offset, seen) FORMAT JSONEachRow"

func jsonRows[T any](rows []T) []byte {
	var out []byte
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // numbers and strings only
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

const resolvedSuffix = ":resolved"

// stillWaiting reports an event that a resolver has published and that lacks something all the same. It is not handed
// over again: that would never end.
func stillWaiting(b *schemas.Batch, i int) bool {
	return b.Fields[i].Has(schemas.FieldResolves) && bytes.HasSuffix(b.Bytes(b.EventRef[i]), []byte(resolvedSuffix))
}

func waitingEvent(b *schemas.Batch, i int, topic string) waiting {
	e := b.Event(i)
	w := waitingRow(b, i, topic, &e)
	w.target(e.MessageID, b.Fields[i].Has(schemas.FieldMessage))
	w.ID = e.EventID + resolvedSuffix
	w.complete(e)
	return w
}

// waitingBulk is one message of a bulk delete.
func waitingBulk(b *schemas.Batch, i int, topic, target string, known bool) waiting {
	e := b.Event(i)
	w := waitingRow(b, i, topic, &e)
	w.target(target, known)
	w.ID = e.EventID + ":" + target + resolvedSuffix
	e.Type, e.MessageID, e.Extra = schemas.TypeDeleted.String(), target, nil
	w.complete(e)
	return w
}

func waitingRow(b *schemas.Batch, i int, topic string, e *schemas.Event) waiting {
	w := waiting{
		EventID: e.EventID, Event: string(codec.AppendEvent(nil, e)), ChannelID: b.ChannelID[i],
		Topic: topic, Partition: b.Partition[i], Offset: b.Offset[i], Seen: dateTime(b.KafkaTime[i]),
	}
	if b.KafkaTime[i] < 0 {
		w.Seen = dateTime(b.Time[i])
	}
	if b.Fields[i].Has(schemas.FieldChannel) {
		w.HasChannel = 1
	}
	return w
}

// target names what is looked for. A text that is a number of ours has no hash; a decimal one that was judged opaque
// is looked for as both.
func (w *waiting) target(text string, snowflake bool) {
	w.Target = text
	if !snowflake {
		w.TargetHash = schemas.HashRef(text)
	}
	if n, ok := schemas.ParseDecimal([]byte(text)); ok {
		w.TargetID, w.Decimal = n, 1
	}
}

// complete makes the document that the resolver publishes: the same event under the derived id, with its own time.
func (w *waiting) complete(e schemas.Event) {
	mark := codec.AppendString([]byte(`{"resolves":`), w.EventID)
	if rest := withoutMark(e.Extra); len(rest) > 2 {
		mark = append(append(mark, ','), rest[1:]...)
	} else {
		mark = append(mark, '}')
	}
	e.EventID, e.Extra = w.ID, mark
	w.Completed = string(codec.AppendEvent(nil, &e))
}
