package lake

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// Field ids of the table `events`. They are in every Parquet file and every manifest, and are never used again
// for another column.
const (
	FieldEventID        = 1
	FieldType           = 2
	FieldGuildID        = 3
	FieldChannelID      = 4
	FieldMessageID      = 5
	FieldUserID         = 6
	FieldContent        = 7
	FieldEventTime      = 8
	FieldExtra          = 9
	FieldEventRef       = 10
	FieldMessageRef     = 11
	FieldChannelRef     = 12
	FieldGuildRef       = 13
	FieldUserRef        = 14
	FieldRedactions     = 15
	FieldSource         = 16
	FieldKafkaPartition = 17
	FieldKafkaOffset    = 18
	FieldKafkaTime      = 19
	FieldGuildName      = 20
	FieldChannelName    = 21
	FieldUserName       = 22
)

// dayFieldID is the id of the partition field event_day.
const dayFieldID = 1000

// SchemaVersion counts the changes of the columns: the table's schema follows the release with the highest, see EnsureSchema.
const SchemaVersion = 1

// EventsSchema gives the columns of the table `events`, schema id 0.
func EventsSchema() *iceberg.Schema {
	long, text := iceberg.PrimitiveTypes.Int64, iceberg.PrimitiveTypes.String
	short, at := iceberg.PrimitiveTypes.Int32, iceberg.PrimitiveTypes.TimestampTz
	f := func(id int, name string, typ iceberg.Type, required bool) iceberg.NestedField {
		return iceberg.NestedField{ID: id, Name: name, Type: typ, Required: required}
	}
	return iceberg.NewSchema(
		0,
		f(FieldEventID, "event_id", long, true),
		f(FieldType, "type", text, true),
		f(FieldGuildID, "guild_id", long, false),
		f(FieldChannelID, "channel_id", long, false),
		f(FieldMessageID, "message_id", long, false),
		f(FieldUserID, "user_id", long, false),
		f(FieldContent, "content", text, false),
		f(FieldEventTime, "event_time", at, true),
		f(FieldExtra, "extra", text, false),
		f(FieldEventRef, "event_ref", text, false),
		f(FieldMessageRef, "message_ref", text, false),
		f(FieldChannelRef, "channel_ref", text, false),
		f(FieldGuildRef, "guild_ref", text, false),
		f(FieldUserRef, "user_ref", text, false),
		f(FieldRedactions, "redactions", short, false),
		f(FieldSource, "source", short, true),
		f(FieldKafkaPartition, "kafka_partition", short, true),
		f(FieldKafkaOffset, "kafka_offset", long, true),
		f(FieldKafkaTime, "kafka_time", at, true),
		f(FieldGuildName, "guild_name", text, false),
		f(FieldChannelName, "channel_name", text, false),
		f(FieldUserName, "user_name", text, false),
	)
}

// eventsSpec partitions by the day of event_time. No sort order goes with it: files are sorted inside a row
// group only, and engines trust the declaration.
func eventsSpec() iceberg.PartitionSpec {
	return iceberg.NewPartitionSpec(iceberg.PartitionField{
		SourceIDs: []int{FieldEventTime}, FieldID: dayFieldID, Name: "event_day", Transform: iceberg.DayTransform{},
	})
}

// NoBounds says whether a column's values may not stand in manifests or page indexes, because they are
// user text, which erasure must find in data files alone: content, extra, names and the texts of opaque ids.
func NoBounds(fieldID int) bool {
	switch fieldID {
	case FieldContent, FieldExtra, FieldGuildName, FieldChannelName, FieldUserName,
		FieldEventRef, FieldMessageRef, FieldChannelRef, FieldGuildRef, FieldUserRef:
		return true
	}
	return false
}

// eventsProperties are the table's properties at creation. Manifests are merged by us in the commit (see
// manifests.go); the properties tell other writers the same.
func eventsProperties() iceberg.Properties {
	p := iceberg.Properties{
		table.PropertyFormatVersion:            "2",
		"write.parquet.compression-codec":      "zstd",
		"write.metadata.metrics.default":       "truncate(16)",
		"commit.manifest-merge.enabled":        "true",
		"commit.manifest.min-count-to-merge":   "100",
		"write.metadata.previous-versions-max": "100",
		"gc.enabled":                           "false", // only our own sweep may delete
	}
	for _, f := range EventsSchema().Fields() {
		if NoBounds(f.ID) {
			p["write.metadata.metrics.column."+f.Name] = "counts"
		}
	}
	return p
}

// LongBound is the bound of a long column.
func LongBound(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

// IntBound is the bound of an int column.
func IntBound(v int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

// TimeBound is the bound of a timestamptz column: Unix microseconds.
func TimeBound(us int64) []byte { return LongBound(us) }

// TextBounds gives the bounds of a text column, cut to 16 characters as Iceberg does: the lower one is cut, the
// upper one is cut and its last character raised. upper is nil where none can be made: leave both out then.
func TextBounds(lowest, highest string) (lower, upper []byte) {
	const limit = 16
	lower = []byte(cut(lowest, limit))
	short := cut(highest, limit)
	if short == highest {
		return lower, []byte(highest)
	}
	r := []rune(short)
	for i := len(r) - 1; i >= 0; i-- {
		next := r[i] + 1
		if next == 0xD800 {
			next = 0xE000
		}
		if next <= utf8.MaxRune {
			return lower, []byte(string(append(r[:i:i], next)))
		}
	}
	return lower, nil
}

func cut(s string, runes int) string {
	for i := range s {
		if runes == 0 {
			return s[:i]
		}
		runes--
	}
	return s
}

func readLongBound(b []byte) (int64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("bound of a long has %d bytes", len(b))
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

func readIntBound(b []byte) (int32, error) {
	if len(b) != 4 {
		return 0, fmt.Errorf("bound of an int has %d bytes", len(b))
	}
	return int32(binary.LittleEndian.Uint32(b)), nil
}
