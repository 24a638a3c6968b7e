package parquet

import "github.com/coldstream/coldstream/schemas"

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
	repeats  bool           // its values repeat, so that a dictionary is tried
	bloom    bool           // has a Bloom filter
	present  schemas.Fields // if set: null where the row lacks it; a text without it is null where empty

	longs func(*schemas.Batch) *[]int64
	ints  func(*schemas.Batch) *[]int32
	texts func(*schemas.Batch) *[]schemas.Text
}

// columns in the order of the file.
var columns = []column{
	{name: "event_id", id: 1, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.EventID }},
	{name: "type", id: 2, kind: kindText, required: true, bounds: true, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.TypeName }},
	{name: "guild_id", id: 3, bounds: true, present: schemas.FieldGuild, repeats: true, longs: func(b *schemas.Batch) *[]int64 { return &b.GuildID }},
	{name: "channel_id", id: 4, bounds: true, present: schemas.FieldChannel, repeats: true, longs: func(b *schemas.Batch) *[]int64 { return &b.ChannelID }},
	{name: "message_id", id: 5, bounds: true, present: schemas.FieldMessage, bloom: true, longs: func(b *schemas.Batch) *[]int64 { return &b.MessageID }},
	{name: "user_id", id: 6, bounds: true, present: schemas.FieldUser, repeats: true, bloom: true, longs: func(b *schemas.Batch) *[]int64 { return &b.UserID }},
	{name: "content", id: 7, kind: kindText, present: schemas.FieldContent, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.Content }},
	{name: "event_time", id: 8, kind: kindTime, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.Time }},
	{name: "extra", id: 9, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.Extra }},
	{name: "event_ref", id: 10, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.EventRef }},
	{name: "message_ref", id: 11, kind: kindText, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.MessageRef }},
	{name: "channel_ref", id: 12, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.ChannelRef }},
	{name: "guild_ref", id: 13, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.GuildRef }},
	{name: "user_ref", id: 14, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.UserRef }},
	{name: "redactions", id: 15, kind: kindInt, bounds: true, repeats: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Redactions }},
	{name: "source", id: 16, kind: kindInt, required: true, bounds: true, repeats: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Source }},
	{name: "kafka_partition", id: 17, kind: kindInt, required: true, bounds: true, repeats: true, ints: func(b *schemas.Batch) *[]int32 { return &b.Partition }},
	{name: "kafka_offset", id: 18, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.Offset }},
	{name: "kafka_time", id: 19, kind: kindTime, required: true, bounds: true, longs: func(b *schemas.Batch) *[]int64 { return &b.KafkaTime }},
	{name: "guild_name", id: 20, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.GuildName }},
	{name: "channel_name", id: 21, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.ChannelName }},
	{name: "user_name", id: 22, kind: kindText, repeats: true, texts: func(b *schemas.Batch) *[]schemas.Text { return &b.UserName }},
}

// Keys of the footer.
const (
	keyVersion    = "coldstream.format"
	keyCheckpoint = "coldstream.checkpoint"
	keyWorker     = "coldstream.worker"
	keyPolicy     = "coldstream.policy"
	keyEpoch      = "coldstream.epoch"
	keyWindows    = "coldstream.windows"
	keySources    = "coldstream.sources" // since 2026-11-27: older files have none

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
