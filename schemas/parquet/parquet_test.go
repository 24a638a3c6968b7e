package parquet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	"github.com/coldstream/coldstream/schemas/parquet"
)

var day = time.Date(2023, 5, 10, 0, 0, 0, 0, time.UTC)

// decode fills a batch through the codec, so that rows are what the pipeline sees.
func decode(t testing.TB, docs ...string) *schemas.Batch {
	t.Helper()
	b := schemas.GetBatch()
	c := codec.JSON{Epoch: schemas.DiscordEpoch}
	for i, d := range docs {
		at := codec.Origin{Source: 2, Partition: int32(i % 3), Offset: int64(1000 + i), Time: time.Now().UnixMicro()}
		if err := c.Decode(b, []byte(d), at); err != nil {
			t.Fatalf("%s: %v", d, err)
		}
	}
	return b
}

// sample is documents of all kinds, at times spread over some minutes of the day.
func sample(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	docs := make([]string, n)
	for i := range docs {
		at := day.Add(time.Duration(r.IntN(20*60_000)) * time.Millisecond)
		id := schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(i))
		channel, user := r.IntN(20)-3, r.IntN(50)
		switch i % 7 {
		case 0:
			docs[i] = fmt.Sprintf(`{"event_id":"msg_%d","channel_id":"irc/%d","user_id":"irc/u%d","content":"opaque %d","timestamp":%q,"user_name":"u%d"}`,
				i, channel, user, i, at.Format(time.RFC3339Nano), user)
		case 1:
			docs[i] = fmt.Sprintf(`{"event_id":%d,"target_message_id":"msg_%d","timestamp":%q}`, id, i-1, at.Format(time.RFC3339Nano))
		case 2:
			docs[i] = fmt.Sprintf(`{"event_id":%d,"type":"ban.created","guild_id":"7","reason":{"a":[1,2]},"resolves":"x"}`, id)
		case 3:
			docs[i] = fmt.Sprintf(`{"event_id":%d,"channel_id":"%d","user_id":"%d","content":""}`, id, channel, user)
		default:
			docs[i] = fmt.Sprintf(`{"event_id":"%d","guild_id":"9","channel_id":"%d","user_id":"%d","content":"secretword %d %s","k":%d,"guild_name":"G","channel_name":"c%d"}`,
				id, channel, user, i, strings.Repeat("x", r.IntN(80)), i, channel)
		}
	}
	return docs
}

// from is where the files say they come from.
var from = parquet.Provenance{Checkpoint: "cp-1", Worker: "w-1", Policy: 3, Epoch: schemas.DiscordEpoch, Sources: []parquet.SourceRange{
	{Source: 1, Cluster: "c", Topic: "events", TopicID: "id", Partition: 2, From: 5, Next: 1 << 40},
}}

// build writes every window of a batch into one file.
func build(t testing.TB, b *schemas.Batch) *parquet.File {
	t.Helper()
	w := parquet.NewWriter(from)
	if b.Len() < 1000 {
		w = parquet.NewSparseWriter(from)
	}
	windows := map[schemas.Window][]int32{}
	for i, us := range b.Time {
		windows[schemas.WindowOf(us)] = append(windows[schemas.WindowOf(us)], int32(i))
	}
	keys := make([]schemas.Window, 0, len(windows))
	for k := range windows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := w.WriteWindow(k, b, windows[k]); err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t testing.TB, f *parquet.File) *parquet.Reader {
	t.Helper()
	r, err := parquet.Open(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rowText is a row in comparable form.
func rowText(b *schemas.Batch, i int) string {
	var r schemas.Row
	b.Row(i, &r)
	r.Content, r.Extra = nil, nil
	return fmt.Sprintf("%+v|%s|%s", r, b.String(b.Content[i]), b.String(b.Extra[i]))
}

func TestRoundTrip(t *testing.T) {
	t.Run("dense", func(t *testing.T) { roundTrip(t, 5000) })
	t.Run("sparse", func(t *testing.T) { roundTrip(t, 500) })
}

func roundTrip(t *testing.T, n int) {
	b := decode(t, sample(n)...)
	for i := range b.Redactions {
		b.Redactions[i] = int32(i % 3)
	}
	want := map[int64]string{}
	for i := range b.Offset {
		want[b.Offset[i]] = rowText(b, i)
	}
	f := build(t, b)
	r := open(t, f)
	if got := r.Provenance(); !reflect.DeepEqual(got, from) {
		t.Errorf("provenance %+v", got)
	}
	var last int64 = -1 << 62
	rows := 0
	for got, err := range r.Batches(parquet.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		window := int64(schemas.WindowOf(got.Time[0]))
		if window <= last {
			t.Errorf("window %d after %d", window, last)
		}
		last = window
		for i := range got.Offset {
			if text := rowText(got, i); text != want[got.Offset[i]] {
				t.Fatalf("offset %d:\n got %s\nwant %s", got.Offset[i], text, want[got.Offset[i]])
			}
			if i > 0 && got.Fields[i-1].Has(schemas.FieldChannel) && (got.ChannelID[i] < got.ChannelID[i-1] ||
				got.ChannelID[i] == got.ChannelID[i-1] && got.EventID[i] < got.EventID[i-1]) {
				t.Fatalf("row %d out of order", i)
			}
			rows++
		}
	}
	if rows != len(want) || f.Rows != int64(rows) || r.Rows() != int64(rows) {
		t.Errorf("%d rows read, %d and %d said, %d written", rows, f.Rows, r.Rows(), len(want))
	}
	if len(f.Chunks) != 4 || len(f.Splits) != 4 {
		t.Errorf("%d chunks, %d splits, want 4", len(f.Chunks), len(f.Splits))
	}
}

func TestColumnsAndWindows(t *testing.T) {
	f := build(t, decode(t, sample(700)...))
	from := day.Add(7 * time.Minute).UnixMicro()
	q := parquet.Query{From: from, To: day.Add(9 * time.Minute).UnixMicro(), Columns: []string{"event_id", "event_time"}}
	batches := 0
	for b, err := range open(t, f).Batches(q) {
		if err != nil {
			t.Fatal(err)
		}
		batches++
		if w := schemas.WindowOf(b.Time[0]); w != schemas.WindowOf(from) {
			t.Errorf("window %v read", w.Start())
		}
		if b.EventID[0] == 0 || b.ChannelID[0] != 0 || b.Fields[0] != 0 || b.TextBytes() != 0 {
			t.Errorf("columns not asked for were read: %+v", b.Event(0))
		}
	}
	if batches != 1 {
		t.Errorf("%d row groups read, want 1", batches)
	}
}

// User text must be nowhere but in its own column's pages, which are compressed; erasure relies on it.
func TestNoUserTextOutsidePages(t *testing.T) {
	f := build(t, decode(t, sample(70_000)...)) // more than a page in each window
	file, err := pq.OpenFile(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	meta := file.Metadata()
	for g, group := range meta.RowGroups {
		if len(group.SortingColumns) != 2 {
			t.Errorf("row group %d declares %d sorting columns", g, len(group.SortingColumns))
		}
		for i, c := range group.Columns {
			name := c.MetaData.PathInSchema[0]
			text := strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_name") || name == "content" || name == "extra"
			if has := c.ColumnIndexLength > 0; has == text {
				t.Errorf("row group %d, %s: column index %v", g, name, has)
			}
			if text && (len(c.MetaData.Statistics.MinValue) > 0 || len(c.MetaData.Statistics.Max) > 0) {
				t.Errorf("row group %d, %s has bounds", g, name)
			}
			if _, err := file.RowGroups()[g].ColumnChunks()[i].OffsetIndex(); err != nil {
				t.Errorf("row group %d, %s: offset index: %v", g, name, err)
			}
			if bloom := name == "message_id" || name == "user_id"; bloom != (c.MetaData.BloomFilterOffset > 0) {
				t.Errorf("row group %d, %s: bloom filter %v", g, name, !bloom)
			}
		}
	}
	tail := f.Bytes[meta.RowGroups[0].Columns[0].ColumnIndexOffset:]
	for _, text := range []string{"secretword", "msg_", "irc/"} {
		if bytes.Contains(tail, []byte(text)) {
			t.Errorf("%q stands in the indexes or the footer", text)
		}
	}
}

func TestBloomFiltersFind(t *testing.T) {
	b := decode(t, sample(3000)...)
	f := build(t, b)
	file, err := pq.OpenFile(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := file.Schema().Lookup("user_id")
	message, _ := file.Schema().Lookup("message_id")
	for i := range b.EventID {
		found := false
		for _, g := range file.RowGroups() {
			c := g.ColumnChunks()[leaf.ColumnIndex].BloomFilter()
			m := g.ColumnChunks()[message.ColumnIndex].BloomFilter()
			u, err := c.Check(pq.ValueOf(b.UserID[i]))
			if err != nil {
				t.Fatal(err)
			}
			v, err := m.Check(pq.ValueOf(b.MessageID[i]))
			if err != nil {
				t.Fatal(err)
			}
			found = found || (u || !b.Fields[i].Has(schemas.FieldUser)) && (v || !b.Fields[i].Has(schemas.FieldMessage))
		}
		if !found {
			t.Fatalf("row %d is in no filter", i)
		}
	}
}

func TestStats(t *testing.T) {
	b := decode(t, sample(700)...)
	f := build(t, b)
	var low, high int64 = 1 << 62, -1 << 62
	nulls := int64(0)
	for i, us := range b.Time {
		low, high = min(low, us), max(high, us)
		if !b.Fields[i].Has(schemas.FieldUser) {
			nulls++
		}
	}
	for _, s := range f.Stats {
		if s.Values != 700 || s.Bytes <= 0 {
			t.Errorf("field %d: %d values, %d bytes", s.FieldID, s.Values, s.Bytes)
		}
		switch s.FieldID {
		case 8:
			if s.Min != low || s.Max != high || !s.HasBounds {
				t.Errorf("event_time %d to %d, want %d to %d", s.Min, s.Max, low, high)
			}
		case 2:
			if s.MinText != "ban.created" || s.MaxText != "message.deleted" {
				t.Errorf("type %q to %q", s.MinText, s.MaxText)
			}
		case 6:
			if s.Nulls != nulls {
				t.Errorf("user_id: %d nulls, want %d", s.Nulls, nulls)
			}
		case 7, 9, 10:
			if s.HasBounds {
				t.Errorf("field %d has bounds", s.FieldID)
			}
		}
	}
}

// A file of sparse windows has no page index, which would say nothing new, and no user text in its footer either.
func TestSparseFile(t *testing.T) {
	f := build(t, decode(t, sample(700)...))
	file, err := pq.OpenFile(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	end := int64(0)
	for _, group := range file.Metadata().RowGroups {
		for _, c := range group.Columns {
			if c.ColumnIndexLength+c.OffsetIndexLength != 0 {
				t.Errorf("%v has an index", c.MetaData.PathInSchema)
			}
			end = max(end, c.MetaData.DataPageOffset, c.MetaData.BloomFilterOffset)
		}
	}
	if bytes.Contains(f.Bytes[end+200:], []byte("msg_")) {
		t.Error("user text in the footer")
	}
}

// A window of more rows than a row group holds is several row groups, and still one chunk.
func TestLargeWindow(t *testing.T) {
	b := schemas.GetBatch()
	defer b.Release()
	const n = 128<<10 + 5
	for i := range n {
		b.Append(&schemas.Row{EventID: int64(i), Offset: int64(i), TypeName: []byte("x"), Time: day.UnixMicro()})
	}
	f := build(t, b)
	if len(f.Chunks) != 1 || f.Chunks[0].RowGroups != 2 || f.Chunks[0].Rows != n {
		t.Fatalf("chunks %+v", f.Chunks)
	}
	rows := 0
	for got, err := range open(t, f).Batches(parquet.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows += got.Len()
	}
	if rows != n {
		t.Errorf("%d rows", rows)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := parquet.NewWriter(parquet.Provenance{}).Finish(); err == nil {
		t.Error("a file without rows was made")
	}
	var other bytes.Buffer
	if err := pq.Write(&other, []struct{ A int }{{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := parquet.Open(bytes.NewReader(other.Bytes()), int64(other.Len())); err == nil {
		t.Error("a foreign file was opened")
	}
}

func benchBatch(b *testing.B) (*schemas.Batch, [][]int32, []schemas.Window) {
	docs := make([]string, 50_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range docs {
		at := day.Add(time.Duration(r.IntN(5*60_000)) * time.Millisecond)
		id := schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(i))
		docs[i] = fmt.Sprintf(`{"event_id":"%d","type":"message.created","guild_id":"81384788765712384","channel_id":"%d","message_id":"%d","user_id":"%d","content":"%x lorem ipsum dolor sit amet consectetur","timestamp":%q}`,
			id, 41771983423143937+r.IntN(100), id, 53908099506183680+r.IntN(5000), r.Uint64(), at.Format(time.RFC3339Nano))
	}
	batch := decode(b, docs...)
	rows := make([]int32, batch.Len())
	for i := range rows {
		rows[i] = int32(i)
	}
	return batch, [][]int32{rows}, []schemas.Window{schemas.WindowOf(day.UnixMicro())}
}

func BenchmarkWrite(b *testing.B) {
	batch, rows, windows := benchBatch(b)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		w := parquet.NewWriter(parquet.Provenance{})
		if err := w.WriteWindow(windows[0], batch, rows[0]); err != nil {
			b.Fatal(err)
		}
		f, err := w.Finish()
		if err != nil {
			b.Fatal(err)
		}
		size = len(f.Bytes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/event")
	b.ReportMetric(float64(size)/float64(batch.Len()), "bytes/event")
}

func BenchmarkRead(b *testing.B) {
	batch, rows, windows := benchBatch(b)
	w := parquet.NewWriter(parquet.Provenance{})
	if err := w.WriteWindow(windows[0], batch, rows[0]); err != nil {
		b.Fatal(err)
	}
	f, err := w.Finish()
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		for got, err := range open(b, f).Batches(parquet.Query{}) {
			if err != nil {
				b.Fatal(err)
			}
			n += got.Len()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// Many windows of few rows: an import of a quiet channel.
func BenchmarkSmallWindows(b *testing.B) {
	docs := make([]string, 288*5)
	for i := range docs {
		at := day.Add(time.Duration(i) * time.Minute)
		docs[i] = fmt.Sprintf(`{"event_id":"f:%d","channel_id":"irc/ubuntu","user_id":"irc/u%d","content":"lorem ipsum dolor sit amet %d","timestamp":%q,"user_name":"u","channel_name":"ubuntu","guild_name":"irc"}`, i, i%17, i, at.Format(time.RFC3339))
	}
	batch := decode(b, docs...)
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		w := parquet.NewSparseWriter(parquet.Provenance{})
		for n := range 288 {
			rows := []int32{int32(5 * n), int32(5*n + 1), int32(5*n + 2), int32(5*n + 3), int32(5*n + 4)}
			if err := w.WriteWindow(schemas.WindowOf(batch.Time[rows[0]]), batch, rows); err != nil {
				b.Fatal(err)
			}
		}
		f, err := w.Finish()
		if err != nil {
			b.Fatal(err)
		}
		size = len(f.Bytes)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*288), "µs/window")
	b.ReportMetric(float64(size)/288, "bytes/window")
}

func TestRangesAreJoined(t *testing.T) {
	at := func(source, partition int32, from, next int64) parquet.SourceRange {
		return parquet.SourceRange{Source: source, Partition: partition, From: from, Next: next}
	}
	got := parquet.Join(nil, []parquet.SourceRange{at(1, 0, 5, 9), at(0, 2, 7, 8)})
	got = parquet.Join(got, []parquet.SourceRange{at(1, 0, 20, 30), at(0, 1, 0, 4), at(0, 2, 3, 5)})
	want := []parquet.SourceRange{at(0, 1, 0, 4), at(0, 2, 3, 8), at(1, 0, 5, 30)}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
