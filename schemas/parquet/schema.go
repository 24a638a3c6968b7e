package parquet

import (
	"reflect"
	"strings"

	pq "github.com/parquet-go/parquet-go"

	"github.com/coldstream/coldstream/schemas"
)

// layout is the file's schema: names, field ids, encodings. It is not used for rows; columns below fill it.
type layout struct {
	EventID     int64  `parquet:"event_id,id(1),delta"`
	Type        string `parquet:"type,id(2),dict"`
	GuildID     int64  `parquet:"guild_id,id(3),dict,optional"`
	ChannelID   int64  `parquet:"channel_id,id(4),dict,optional"`
	MessageID   int64  `parquet:"message_id,id(5),delta,optional"`
	UserID      int64  `parquet:"user_id,id(6),dict,optional"`
	Content     string `parquet:"content,id(7),optional"`
	EventTime   int64  `parquet:"event_time,id(8),timestamp(microsecond),delta"`
	Extra       string `parquet:"extra,id(9),optional"`
	EventRef    string `parquet:"event_ref,id(10),optional"`
	MessageRef  string `parquet:"message_ref,id(11),optional"`
	ChannelRef  string `parquet:"channel_ref,id(12),dict,optional"`
	GuildRef    string `parquet:"guild_ref,id(13),dict,optional"`
	UserRef     string `parquet:"user_ref,id(14),dict,optional"`
	Redactions  int32  `parquet:"redactions,id(15),dict,optional"`
	Source      int32  `parquet:"source,id(16),dict"`
	Partition   int32  `parquet:"kafka_partition,id(17),dict"`
	Offset      int64  `parquet:"kafka_offset,id(18),delta"`
	KafkaTime   int64  `parquet:"kafka_time,id(19),timestamp(microsecond),delta"`
	GuildName   string `parquet:"guild_name,id(20),dict,optional"`
	ChannelName string `parquet:"channel_name,id(21),dict,optional"`
	UserName    string `parquet:"user_name,id(22),dict,optional"`
}

var (
	denseSchema  = pq.NewSchema("events", pq.SchemaOf(layout{}))
	sparseSchema = pq.NewSchema("events", pq.SchemaOf(withoutDictionaries()))
)

// withoutDictionaries is layout for windows of few rows, where a dictionary is larger than what it saves.
func withoutDictionaries() any {
	t := reflect.TypeFor[layout]()
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		fields[i] = t.Field(i)
		fields[i].Tag = reflect.StructTag(strings.ReplaceAll(string(fields[i].Tag), ",dict", ""))
	}
	return reflect.Zero(reflect.StructOf(fields)).Interface()
}

// kind is how a column's values are held.
type kind uint8

const (
	kindLong kind = iota
	kindInt
	kindTime
	kindText
)

// column connects a column of the file to one of the batch. Exactly one of longs, ints and texts is set.
type column struct {
	name     string
	id       int
	kind     kind
	required bool
	bounds   bool           // its least and greatest values may be told outside the column itself
	present  schemas.Fields // if set: null where the row lacks it; a text without it is null where empty

	longs func(*schemas.Batch) *[]int64
	ints  func(*schemas.Batch) *[]int32
	texts func(*schemas.Batch) *[]schemas.Text
}

// columns in the order of layout: the index is the column's place in the file.
var columns = []column{
	{name: "event_id", id: 1, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.EventID }},
	{name: "type", id: 2, kind: kindText, required: true, bounds: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.TypeName }},
	{name: "guild_id", id: 3, bounds: true, present: schemas.FieldGuild, longs: func(b *schemas.Batch) *[]int64 { return &b.GuildID }},
	{name: "channel_id", id: 4, bounds: true, present: schemas.FieldChannel, longs: func(b *schemas.Batch) *[]int64 { return &b.ChannelID }},
	{name: "message_id", id: 5, bounds: true, present: schemas.FieldMessage, longs: func(b *schemas.Batch) *[]int64 { return &b.MessageID }},
	{name: "user_id", id: 6, bounds: true, present: schemas.FieldUser, longs: func(b *schemas.Batch) *[]int64 { return &b.UserID }},
	{name: "content", id: 7, kind: kindText, present: schemas.FieldContent, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.Content }},
	{name: "event_time", id: 8, kind: kindTime, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.Time }},
	{name: "extra", id: 9, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.Extra }},
	{name: "event_ref", id: 10, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.EventRef }},
	{name: "message_ref", id: 11, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.MessageRef }},
	{name: "channel_ref", id: 12, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.ChannelRef }},
	{name: "guild_ref", id: 13, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.GuildRef }},
	{name: "user_ref", id: 14, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.UserRef }},
	{name: "redactions", id: 15, kind: kindInt, bounds: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Redactions }},
	{name: "source", id: 16, kind: kindInt, required: true, bounds: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Source }},
	{name: "kafka_partition", id: 17, kind: kindInt, required: true, bounds: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Partition }},
	{name: "kafka_offset", id: 18, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.Offset }},
	{name: "kafka_time", id: 19, kind: kindTime, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.KafkaTime }},
	{name: "guild_name", id: 20, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.GuildName }},
	{name: "channel_name", id: 21, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.ChannelName }},
	{name: "user_name", id: 22, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.UserName }},
}

// null reports whether row i has no value in the column.
func (c *column) null(b *schemas.Batch, i int32) bool {
	switch {
	case c.required:
		return false
	case c.present != 0:
		return !b.Fields[i].Has(c.present)
	case c.texts != nil:
		return (*c.texts(b))[i].Len == 0
	}
	return false
}

// Keys of the footer.
const (
	keyVersion    = "coldstream.format"
	keyCheckpoint = "coldstream.checkpoint"
	keyWorker     = "coldstream.worker"
	keyPolicy     = "coldstream.policy"
	keyEpoch      = "coldstream.epoch"
	keyWindows    = "coldstream.windows"

	formatVersion = "1"
)

// maxGroupRows bounds a row group, and with it the memory of reading one.
const maxGroupRows = 128 << 10

// Field is a column of the file, for those who compare it with a table's.
type Field struct {
	ID       int
	Name     string
	Required bool
	Bounds   bool // statistics may tell its least and greatest values
}

// Fields are the columns in the file's order.
func Fields() []Field {
	all := make([]Field, len(columns))
	for i, c := range columns {
		all[i] = Field{ID: c.id, Name: c.name, Required: c.required, Bounds: c.bounds}
	}
	return all
}
