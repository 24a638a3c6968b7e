// Package deadletter is the form of dead letters on their topic: the original bytes, the key topic:partition:offset, and
// headers error, stage, topic, partition, offset and schema.
//
// [Record] writes and [Parse] reads. Parse fails on nothing: a header that is absent or odd leaves its field zero.
package deadletter

import (
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// Record is a dead letter as a record for the given topic.
func Record(topic string, d *schemas.DeadLetter) *kgo.Record {
	headers := []kgo.RecordHeader{
		{Key: "error", Value: []byte(d.Error)},
		{Key: "stage", Value: []byte(d.Stage)},
		{Key: "topic", Value: []byte(d.Topic)},
		{Key: "partition", Value: strconv.AppendInt(nil, int64(d.Partition), 10)},
		{Key: "offset", Value: strconv.AppendInt(nil, d.Offset, 10)},
		{Key: "schema", Value: []byte(d.Schema)},
	}
	return &kgo.Record{Topic: topic, Key: []byte(d.ID()), Value: d.Value, Headers: headers}
}

// Parse reads a record of the topic; Time is the record's.
func Parse(r *kgo.Record) schemas.DeadLetter {
	d := schemas.DeadLetter{Value: r.Value, Time: r.Timestamp.UTC().Truncate(time.Millisecond)}
	for _, h := range r.Headers {
		switch v := string(h.Value); h.Key {
		case "error":
			d.Error = v
		case "stage":
			d.Stage = v
		case "topic":
			d.Topic = v
		case "schema":
			d.Schema = v
		case "partition":
			if n, err := strconv.ParseInt(v, 10, 32); err == nil {
				d.Partition = int32(n)
			}
		case "offset":
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				d.Offset = n
			}
		}
	}
	return d
}
