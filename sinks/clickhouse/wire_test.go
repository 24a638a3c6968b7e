package clickhouse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/coldstream/coldstream/schemas"
)

func TestColumnsAreSentAsTheyLie(t *testing.T) {
	var ids numbers[int64]
	var ranks numbers[int8]
	var words texts
	want := []string{"", "a", strings.Repeat("long ", 100), "größe", "\x00\xff"}
	for i, w := range want {
		ids.add(int64(i) - 2)
		ranks.add(int8(i) - 2)
		words.add([]byte(w))
	}
	for from := range want {
		for to := from; to <= len(want); to++ {
			r := proto.NewReader(bytes.NewReader(bytes.Join([][]byte{ids.wire(from, to), ranks.wire(from, to), words.wire(from, to)}, nil)))
			var gotIDs proto.ColInt64
			var gotRanks proto.ColInt8
			var gotWords proto.ColStr
			for _, c := range []proto.ColResult{&gotIDs, &gotRanks, &gotWords} {
				if err := c.DecodeColumn(r, to-from); err != nil {
					t.Fatal(err)
				}
			}
			for i := range to - from {
				if gotIDs[i] != int64(from+i)-2 || gotRanks[i] != int8(from+i)-2 || gotWords.Row(i) != want[from+i] {
					t.Errorf("rows %d to %d: row %d is %d, %d, %q", from, to, i, gotIDs[i], gotRanks[i], gotWords.Row(i))
				}
			}
			if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("rows %d to %d: more bytes than rows (%v)", from, to, err)
			}
		}
	}
}

func TestRowsArePicked(t *testing.T) {
	var ids, someIDs numbers[int64]
	var words, someWords texts
	for i := range 100 {
		ids.add(int64(i))
		words.add(bytes.Repeat([]byte("x"), i*7%150))
	}
	for range 2 { // their memory is used again
		for _, rows := range [][]int32{{}, {0}, {99}, {0, 1, 2, 50, 98, 99}} {
			someIDs.pick(&ids, rows)
			someWords.pick(&words, rows)
			var want []byte
			for i, r := range rows {
				want = append(want, words.wire(int(r), int(r)+1)...)
				if someIDs[i] != int64(r) {
					t.Errorf("rows %v: %v", rows, someIDs)
				}
			}
			if got := someWords.wire(0, len(rows)); !bytes.Equal(got, want) {
				t.Errorf("rows %v: %q, want %q", rows, got, want)
			}
		}
	}
}

func TestPiecesAreReadAsOne(t *testing.T) {
	s := segments{nil, []byte("ab"), {}, []byte("c"), []byte(strings.Repeat("d", 100)), nil}
	want := []byte("abc" + strings.Repeat("d", 100))
	if s.size() != int64(len(want)) {
		t.Errorf("%d bytes, want %d", s.size(), len(want))
	}
	for range 2 { // an attempt leaves what the next one reads
		if err := iotest.TestReader(s.reader(), want); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNamesAreSentWhenNewerAndDifferent compares the cache with a plain map, with more names than its table has places.
func TestNamesAreSentWhenNewerAndDifferent(t *testing.T) {
	type seen struct {
		name    string
		version int64
	}
	c, known, n := newNameCache(), map[int64]seen{}, newNameColumns()
	b := schemas.GetBatch()
	texts := []string{"Ada", "ada", "Grace"}
	for i := range int64(60_000) {
		id, version := i*7919%20_000<<22, i*2_654_435_761%60_000
		name := texts[i*31%3]
		b.Append(&schemas.Row{
			Type: schemas.TypeCreated, Fields: schemas.FieldUser, EventID: version, UserID: id, UserName: []byte(name),
		})
		before := n.rows()
		c.add(n, b, int(i))
		last, ok := known[id]
		want := !ok || version > last.version && name != last.name
		if !ok || version > last.version {
			known[id] = seen{name, version}
		}
		if sent := n.rows() > before; sent != want {
			t.Fatalf("name %d of user %d: sent %v, want %v", i, id, sent, want)
		}
	}
}

func TestManyRowsWaitForMore(t *testing.T) {
	c := Config{MaxRows: 64, MaxAge: time.Second}
	now := time.Unix(1_800_000_000, 0)
	filled := func(rows int, record time.Time) *block {
		b := schemas.GetBatch()
		k := newBlock(true)
		for range rows {
			b.Append(&schemas.Row{Type: schemas.TypeCreated, KafkaTime: record.UnixMicro()})
			k.state.addEvent(key{}, b, 0, nil)
		}
		k.cover(schemas.Range{}, b, now)
		return k
	}
	for name, a := range map[string]struct {
		k     *block
		after time.Duration
		due   bool
	}{
		"few, too early":               {filled(3, now), 900 * time.Millisecond, false},
		"few":                          {filled(3, now), time.Second, true},
		"many, more will come":         {filled(4, now), 1900 * time.Millisecond, false},
		"many, long enough":            {filled(4, now), 2 * time.Second, true},
		"old, more will come":          {filled(10, now.Add(-time.Hour)), 7 * time.Second, false},
		"old, long enough":             {filled(10, now.Add(-time.Hour)), 8 * time.Second, true},
		"old by a slow clock, one row": {filled(1, now.Add(-time.Hour)), time.Second, true},
		"no time of the record":        {filled(10, time.UnixMicro(-1)), 2 * time.Second, true},
	} {
		if got := a.k.due(now.Add(a.after), &c); got != a.due {
			t.Errorf("%s: due %v after %v", name, got, a.after)
		}
	}
}
