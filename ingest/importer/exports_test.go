package importer_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/ingest/importer"
)

func TestDiscordExports(t *testing.T) {
	var l list
	res, err := importer.Discord(t.Context(), &l, []string{"testdata/discord"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	l.events(t)
	golden(t, "discord", &l, res)
}

func TestSlackExports(t *testing.T) {
	var l list
	res, err := importer.Slack(t.Context(), &l, []string{"testdata/slack"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	b := l.events(t)
	golden(t, "slack", &l, res)
	last := map[string]int64{}
	for i := range b.Len() {
		if e := b.Event(i); e.Type == "message.created" {
			if before, seen := last[e.ChannelID]; seen && b.MessageID[i] <= before {
				t.Errorf("%s does not come after the message before it", e.EventID)
			}
			last[e.ChannelID] = b.MessageID[i]
		}
	}
	t.Run("as it came", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "export.zip")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		if err := errors.Join(z.AddFS(os.DirFS("testdata/slack")), z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		var zipped list
		if _, err := importer.Slack(t.Context(), &zipped, []string{path}, quiet); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(zipped.values, l.values, bytes.Equal) {
			t.Error("the archive gives other events than its folder")
		}
	})
}

func TestExportsOfAnotherKindAreRefused(t *testing.T) {
	dir := write(t, map[string]string{
		"list.json": "[1]", "cut.json": `{"guild":{"id":"1"},"channel":{"id":"2"},"messages":[{"id":"3"`, "none.json": `{"guild":{"id":"1"}}`,
		"time.json": `{"guild":{"id":"1"},"channel":{"id":"2"},"messages":[{"id":"3","timestamp":"soon"}]}`,
	})
	for _, name := range []string{"list.json", "cut.json", "none.json", "time.json"} {
		var l list
		if _, err := importer.Discord(t.Context(), &l, []string{filepath.Join(dir, name)}, quiet); !errors.Is(err, importer.ErrUsage) {
			t.Errorf("discord %s: %v", name, err)
		}
		if _, err := importer.Slack(t.Context(), &l, []string{filepath.Join(dir, name)}, quiet); !errors.Is(err, importer.ErrUsage) {
			t.Errorf("slack %s: %v", name, err)
		}
	}
	if _, err := importer.Slack(t.Context(), new(list), []string{dir}, quiet); !errors.Is(err, importer.ErrUsage) {
		t.Errorf("slack folder without channels.json: %v", err)
	}
}

func TestNDJSONPublishesBytesAsTheyAre(t *testing.T) {
	in := []struct{ line, key string }{
		{`{"event_id":"1","channel_id":"c\u0041","content":"x"}`, "cA"},
		{`{"channel_id": 42 , "event_id":"1"}`, "42"},
		{`{"event_id":"del_1","target_message_id":"msg_1","channel_id":null}`, "msg_1"},
		{`{"event_id":"e"}`, "e"},
		{"{\"event_id\":\"e\"} \t\r", "e"},
		{`not JSON`, ""},
		{``, ""},
		{"\x00\x00\x00\x00\x01avro", ""},
		{"{\"channel_id\":\"\xff\xfe\"}", "\xff\xfe"},
		{`{"a":{"channel_id":"inner"},"event_id":["x"]}`, ""},
		{`{"channel_id":"cut`, ""},
	}
	var text []string
	for _, c := range in {
		text = append(text, c.line)
	}
	var l list
	res, err := importer.NDJSON(t.Context(), &l, []string{"-"}, strings.NewReader(strings.Join(text, "\n")+"\n"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if res.Files != 1 || res.Lines != int64(len(in)) || res.Published != int64(len(in)) || len(res.Skipped) != 0 {
		t.Errorf("%+v", res)
	}
	for i, c := range in {
		if string(l.values[i]) != c.line || string(l.keys[i]) != c.key || l.values[i] == nil {
			t.Errorf("%q became %q with key %q, want %q", c.line, l.values[i], l.keys[i], c.key)
		}
	}
}

func TestNDJSONReadsFoldersInOrder(t *testing.T) {
	dir := write(t, map[string]string{"b/1.ndjson": "3\n", "a.ndjson": "1\n2"})
	var l list
	if _, err := importer.NDJSON(t.Context(), &l, []string{dir}, nil, quiet); err != nil {
		t.Fatal(err)
	}
	if got := string(bytes.Join(l.values, []byte(","))); got != "1,2,3" {
		t.Errorf("got %s", got)
	}
	if n := importer.Size([]string{dir}); n != 5 {
		t.Errorf("size %d", n)
	}
}

func FuzzNDJSON(f *testing.F) {
	f.Add([]byte(`{"event_id":"1","channel_id":"c\u0041","content":{"a":[1,"\ud800"]}}` + "\n\n" + `{"target_message_id":`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l list
		if _, err := importer.NDJSON(t.Context(), &l, []string{"-"}, bytes.NewReader(text), quiet); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		got := bytes.Join(l.values, []byte("\n"))
		if want := bytes.TrimSuffix(text, []byte("\n")); !bytes.Equal(got, want) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func FuzzDiscord(f *testing.F) {
	text, err := os.ReadFile("testdata/discord/general.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := importer.Discord(t.Context(), new(list), []string{path}, quiet); err != nil && !errors.Is(err, importer.ErrUsage) {
			t.Fatal(err)
		}
	})
}
