package importer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/coldstream/coldstream/ingest/importer"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

var update = flag.Bool("update", false, "write the golden files anew")

// list is a Publisher that keeps what it gets.
type list struct {
	keys, values [][]byte
	stop         func(n int) error // asked before each record
}

func (l *list) PublishRaw(_ context.Context, key, value []byte) error {
	if l.stop != nil {
		if err := l.stop(len(l.values)); err != nil {
			return err
		}
	}
	l.keys, l.values = append(l.keys, key), append(l.values, value)
	return nil
}

// events decodes what was published as the pipeline does, and fails on what it refuses.
func (l *list) events(t testing.TB) *schemas.Batch {
	t.Helper()
	decoder, b := codec.JSON{Epoch: schemas.DiscordEpoch}, new(schemas.Batch)
	for i, v := range l.values {
		if err := decoder.Decode(b, v, codec.Origin{Offset: int64(i), Time: -1}); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		if key, channel := string(l.keys[i]), b.Event(i).ChannelID; key != channel {
			t.Fatalf("key %q of channel %q", key, channel)
		}
	}
	return b
}

var quiet = importer.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}

// golden compares what was published, and the result, with a file.
func golden(t *testing.T, name string, l *list, res importer.Result) {
	t.Helper()
	var got bytes.Buffer
	for i, v := range l.values {
		got.Write(l.keys[i])
		got.WriteByte('\t')
		got.Write(v)
		got.WriteByte('\n')
	}
	counts, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	got.Write(append(counts, '\n'))
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got.Bytes())
	}
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}
