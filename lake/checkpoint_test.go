package lake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/lake"
)

// sample is a checkpoint that uses every field.
func sample() lake.Checkpoint {
	f := describe("data/a.parquet", []byte("x"), day, 10)
	f.Splits = []int64{4, 100}
	return lake.Checkpoint{
		FormatVersion: lake.CheckpointVersion,
		ID:            "abc", Worker: "w1", Policy: 3, ErasuresNext: 7, CreatedMs: 1_700_000_000_000,
		Sources: []lake.SourceRange{{
			Cluster: cluster, Topic: topic, TopicID: topicID, Partition: 2, From: 5, Next: 20, CompleteMs: 99,
		}},
		Files:    []lake.DataFile{f},
		Counters: lake.Counters{Events: 10, Repeats: 4, Dead: 1},
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	want := sample()
	got := must[*lake.Checkpoint](t)(lake.Decode(must[[]byte](t)(lake.Encode(want))))
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
}

// TestCheckpointFormat holds the bytes: records of version 1 stand in topics for years.
func TestCheckpointFormat(t *testing.T) {
	const want = `{"format_version":1,"id":"abc","worker":"w1","policy":3,"erasures_next":7,"created_ms":1700000000000,` +
		`"sources":[{"cluster":"cluster-1","topic":"events","topic_id":"11111111-1111-1111-1111-111111111111","partition":2,"from":5,"next":20,"complete_ms":99}],` +
		`"files":[{"path":"data/a.parquet","size":1,"hash":"xxh3:5c7401c0ec22eeeeeaf06c6480b2cd11","rows":10,"day":20000,"policy":1,` +
		`"chunks":[{"window_ms":1728000000000,"row_group":0,"row_groups":1,"rows":10}],` +
		`"stats":[{"id":1,"values":10,"nulls":0,"lower":"AQAAAAAAAAA=","upper":"CgAAAAAAAAA="},` +
		`{"id":8,"values":10,"nulls":0,"lower":"AAAsWpsjBgA=","upper":"QEI7WpsjBgA="}],"splits":[4,100]}],` +
		`"counters":{"events":10,"repeats":4,"dead":1}}`
	if got := string(must[[]byte](t)(lake.Encode(sample()))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	change := func(old, with string) string {
		text := string(must[[]byte](t)(lake.Encode(sample())))
		if !strings.Contains(text, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(text, old, with, 1)
	}
	for name, c := range map[string]struct {
		record string
		want   error
	}{
		"a later version":     {change(`"format_version":1`, `"format_version":2`), lake.ErrUnknownVersion},
		"no version":          {change(`"format_version":1,`, ``), lake.ErrMalformed},
		"not JSON":            {"hello", lake.ErrMalformed},
		"empty":               {"", lake.ErrMalformed},
		"no sources":          {change(`"sources":[`, `"sources":[],"x":[`), lake.ErrMalformed},
		"backwards":           {change(`"from":5`, `"from":21`), lake.ErrMalformed},
		"file elsewhere":      {change(`data/a.parquet`, `../a.parquet`), lake.ErrMalformed},
		"rows do not add up":  {change(`"rows":10,"day"`, `"rows":11,"day"`), lake.ErrMalformed},
		"window of other day": {change(`"window_ms":1728000000000`, `"window_ms":1727999700000`), lake.ErrMalformed},
		"rows of other day":   {change(`"upper":"QEI7WpsjBgA="`, `"upper":"QEI7WpsjBwA="`), lake.ErrMalformed},
		"bounds of content": {
			change(`{"id":8,`, `{"id":7,"values":1,"nulls":0,"lower":"YQ==","upper":"YQ=="},{"id":8,`),
			lake.ErrMalformed,
		},
		"no event times": {change(`{"id":8,`, `{"id":4,`), lake.ErrMalformed},
	} {
		_, err := lake.Decode([]byte(c.record))
		wantErr(t, name, err, c.want)
		if !lake.IsFinal(err) {
			t.Errorf("%s: the committer would go on after %v", name, err)
		}
	}
}

// TestLongListGoesIntoAnObject also shows that the record stays small.
func TestLongListGoesIntoAnObject(t *testing.T) {
	b, ctx := newBed(t), t.Context()
	c := b.checkpoint(t, "big", 0, 10)
	for i := range 2000 {
		c.Files = append(c.Files, describe(fmt.Sprintf("data/%d.parquet", i), []byte("x"), day, 1))
	}
	record := must[[]byte](t)(b.EncodeCheckpoint(ctx, c))
	if len(record) > 256<<10 {
		t.Errorf("the record has %d bytes", len(record))
	}
	short := must[*lake.Checkpoint](t)(lake.Decode(record))
	if short.FilesObject == nil || len(short.Files) != 0 {
		t.Fatalf("the record holds %d files, object %v", len(short.Files), short.FilesObject)
	}
	full := must[*lake.Checkpoint](t)(b.DecodeCheckpoint(ctx, record))
	if !reflect.DeepEqual(full.Files, c.Files) {
		t.Errorf("%d files came back, %d were written, or they differ", len(full.Files), len(c.Files))
	}
	b.put(t, short.FilesObject.Path, `{"format_version":1,"files":[]}`)
	_, err := b.DecodeCheckpoint(ctx, record)
	wantErr(t, "altered list", err, lake.ErrMissingFile)
	if err = b.store.Remove(context.Background(), b.Key(short.FilesObject.Path)); err != nil {
		t.Fatal(err)
	}
	_, err = b.DecodeCheckpoint(ctx, record)
	wantErr(t, "missing list", err, lake.ErrMissingFile)
}

func TestTextBounds(t *testing.T) {
	for _, c := range []struct{ low, high, wantLow, wantHigh string }{
		{"a", "b", "a", "b"},
		{"message.created-and-more", "message.deleted-and-more", "message.created-", "message.deleted."},
		{"", "", "", ""},
		{"ääääääääääääääääää", "ääääääääääääääääää", "ääääääääääääääää", "äääääääääääääääå"},
	} {
		low, high := lake.TextBounds(c.low, c.high)
		if string(low) != c.wantLow || string(high) != c.wantHigh {
			t.Errorf("%q, %q: got %q, %q", c.low, c.high, low, high)
		}
	}
	if _, high := lake.TextBounds("a", strings.Repeat("\U0010FFFF", 17)); high != nil {
		t.Errorf("an upper bound was made of the highest characters: %q", high)
	}
}

// TestNoUserTextInManifests holds that every column with user text is without bounds.
func TestNoUserTextInManifests(t *testing.T) {
	allowed := map[string]bool{"type": true}
	for _, f := range lake.EventsSchema().Fields() {
		if f.Type.String() == "string" && lake.NoBounds(f.ID) == allowed[f.Name] {
			t.Errorf("column %s: NoBounds is %v", f.Name, lake.NoBounds(f.ID))
		}
	}
	var doc struct {
		Fields []struct {
			ID       int    `json:"id"`
			Name     string `json:"name"`
			Required bool   `json:"required"`
			Type     string `json:"type"`
		} `json:"fields"`
	}
	raw := must[[]byte](t)(json.Marshal(lake.EventsSchema()))
	if err := json.Unmarshal(raw, &doc); err != nil || len(doc.Fields) != 22 {
		t.Fatalf("%d columns, %v", len(doc.Fields), err)
	}
	for i, f := range doc.Fields {
		if f.ID != i+1 {
			t.Errorf("column %s has id %d", f.Name, f.ID)
		}
	}
}

// TestDecodeOfDamagedRecords cuts a record short at every place and alters every byte: what is accepted must be a
// checkpoint that can be written again, what is refused must stop the committer.
func TestDecodeOfDamagedRecords(t *testing.T) {
	record := must[[]byte](t)(lake.Encode(sample()))
	check := func(b []byte) {
		c, err := lake.Decode(b)
		switch {
		case (c == nil) == (err == nil):
			t.Fatalf("%s: %v and %v", b, c, err)
		case err != nil && !lake.IsFinal(err):
			t.Fatalf("%s: the committer would go on after %v", b, err)
		case err == nil:
			must[[]byte](t)(lake.Encode(*c))
		}
	}
	for i := range record {
		check(record[:i])
		for _, with := range []byte{'0', '9', '-', '"', '{', 0, 0xFF} {
			b := bytes.Clone(record)
			b[i] = with
			check(b)
		}
	}
}
