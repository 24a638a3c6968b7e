package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// Pages of every shape come back as they went in: several a column, with nulls here and there, without a value, with a
// dictionary and with one that was given up because every value is another.
func TestRoundTripOfManyPages(t *testing.T) { roundTrip(t, 70_000) }

// Another implementation, Arrow's, reads the same values.
func TestArrowReads(t *testing.T) {
	for name, n := range map[string]int{"dense": 70_000, "sparse": 700} {
		t.Run(name, func(t *testing.T) { arrowReads(t, n) })
	}
}

func arrowReads(t *testing.T, n int) {
	b := decode(t, sample(n)...)
	f := build(t, b)
	pf, err := file.NewParquetReader(bytes.NewReader(f.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if got.NumRows() != int64(n) || got.NumCols() != 22 {
		t.Fatalf("%d rows, %d columns", got.NumRows(), got.NumCols())
	}
	row := map[int64]int{} // by offset
	for i, o := range b.Offset {
		row[o] = i
	}
	cells := map[string][]string{}
	for i := range int(got.NumCols()) {
		name := got.Schema().Field(i).Name
		for _, chunk := range got.Column(i).Data().Chunks() {
			cells[name] = append(cells[name], texts(t, chunk)...)
		}
	}
	for at, text := range cells["kafka_offset"] {
		var offset int64
		if _, err := fmt.Sscan(text, &offset); err != nil {
			t.Fatal(err)
		}
		for name, want := range wanted(b, row[offset]) {
			if cells[name][at] != want {
				t.Fatalf("offset %d, %s: %q, want %q", offset, name, cells[name][at], want)
			}
		}
	}
}

const null = "∅"

func texts(t *testing.T, a arrow.Array) []string {
	t.Helper()
	out := make([]string, a.Len())
	for i := range out {
		switch a := a.(type) {
		case *array.Int64:
			out[i] = fmt.Sprint(a.Value(i))
		case *array.Int32:
			out[i] = fmt.Sprint(a.Value(i))
		case *array.Timestamp:
			out[i] = fmt.Sprint(int64(a.Value(i)))
		case *array.String:
			out[i] = a.Value(i)
		default:
			t.Fatalf("a column of %T", a)
		}
		if a.IsNull(i) {
			out[i] = null
		}
	}
	return out
}

// wanted is row i of a batch as the file should have it.
func wanted(b *schemas.Batch, i int) map[string]string {
	optional := func(has schemas.Fields, v any) string {
		if !b.Fields[i].Has(has) {
			return null
		}
		return fmt.Sprint(v)
	}
	text := func(v schemas.Text) string {
		if v.Len == 0 {
			return null
		}
		return b.String(v)
	}
	return map[string]string{
		"event_id": fmt.Sprint(b.EventID[i]), "type": b.String(b.TypeName[i]), "event_time": fmt.Sprint(b.Time[i]),
		"guild_id": optional(schemas.FieldGuild, b.GuildID[i]), "channel_id": optional(schemas.FieldChannel, b.ChannelID[i]),
		"message_id": optional(schemas.FieldMessage, b.MessageID[i]), "user_id": optional(schemas.FieldUser, b.UserID[i]),
		"content": optional(schemas.FieldContent, b.String(b.Content[i])), "extra": text(b.Extra[i]),
		"event_ref": text(b.EventRef[i]), "message_ref": text(b.MessageRef[i]), "channel_ref": text(b.ChannelRef[i]),
		"guild_ref": text(b.GuildRef[i]), "user_ref": text(b.UserRef[i]), "guild_name": text(b.GuildName[i]),
		"channel_name": text(b.ChannelName[i]), "user_name": text(b.UserName[i]), "redactions": fmt.Sprint(b.Redactions[i]),
		"source": fmt.Sprint(b.Source[i]), "kafka_partition": fmt.Sprint(b.Partition[i]), "kafka_time": fmt.Sprint(b.KafkaTime[i]),
	}
}

// A column whose values are all different has no dictionary, and one of few has.
func TestDictionaries(t *testing.T) {
	b := schemas.GetBatch()
	defer b.Release()
	for i := range 10_000 {
		b.Append(&schemas.Row{
			EventID: int64(i), Offset: int64(i), Fields: schemas.FieldUser | schemas.FieldChannel, UserID: int64(i * 7919), ChannelID: int64(i % 9),
			TypeName: []byte("message.created"), UserName: []byte(fmt.Sprint("user ", i)), ChannelName: []byte(fmt.Sprint("c", i%9)), Time: day.UnixMicro(),
		})
	}
	file, err := pq.OpenFile(bytes.NewReader(build(t, b).Bytes), int64(len(build(t, b).Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Metadata().RowGroups[0].Columns {
		name, has := c.MetaData.PathInSchema[0], false
		for _, e := range c.MetaData.Encoding {
			has = has || e == format.RLEDictionary
		}
		want := strings.HasPrefix(name, "channel") && name != "channel_ref" || name == "type" || name == "redactions" || name == "source" || name == "kafka_partition"
		if has != want {
			t.Errorf("%s: dictionary %v", name, has)
		}
	}
}

// The index tells the bounds of each page, and their order only where there is one.
func TestPageIndex(t *testing.T) {
	b := schemas.GetBatch()
	defer b.Release()
	const n, page = 36_000, 16_384 // three pages
	for i := range n {
		r := schemas.Row{EventID: int64(i), Offset: int64(n - i), TypeName: []byte("x"), Time: day.Add(time.Duration(i%7) * time.Second).UnixMicro()}
		if i >= page && i < 2*page {
			r.Fields, r.UserID = schemas.FieldUser, int64(i)
		}
		b.Append(&r)
	}
	f := build(t, b)
	file, err := pq.OpenFile(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	index := func(name string) pq.ColumnIndex {
		leaf, _ := file.Schema().Lookup(name)
		x, err := file.RowGroups()[0].ColumnChunks()[leaf.ColumnIndex].ColumnIndex()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	ids := index("event_id")
	if !ids.IsAscending() || ids.NumPages() != 3 || ids.MinValue(1).Int64() != page || ids.MaxValue(1).Int64() != 2*page-1 {
		t.Errorf("event_id: %d pages, ascending %v, page 1 from %v to %v", ids.NumPages(), ids.IsAscending(), ids.MinValue(1), ids.MaxValue(1))
	}
	if offsets := index("kafka_offset"); offsets.IsAscending() || offsets.MaxValue(0).Int64() != n {
		t.Errorf("kafka_offset: ascending %v, page 0 up to %v", offsets.IsAscending(), offsets.MaxValue(0))
	}
	users := index("user_id")
	if !users.NullPage(0) || users.NullPage(1) || !users.NullPage(2) || users.NullCount(0) != page || users.MinValue(1).Int64() != page {
		t.Errorf("user_id: pages of nulls %v %v %v", users.NullPage(0), users.NullPage(1), users.NullPage(2))
	}
	if want := (parquet.Chunk{WindowMs: day.UnixMilli(), RowGroups: 1, Rows: n}); f.Chunks[0] != want {
		t.Errorf("chunk %+v", f.Chunks[0])
	}
}
