package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/ingest/importer"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// outcome is how a command ended.
type outcome struct {
	code     int
	out, err string
}

// publish runs import or generate on a topic.
func publish(ctx context.Context, seed, topic string, stdin io.Reader, args ...string) outcome {
	target := publishTarget(func(context.Context) (*producer.Producer, error) {
		return producer.New(producer.Config{Brokers: []string{seed}, Topic: topic, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	})
	g := &globals{}
	root := &cobra.Command{Use: "coldstream", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().BoolVar(&g.json, "json", false, "")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newImportCommand(g, target), newGenerateCommand(g, target))
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	var out, errs bytes.Buffer
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err, &errs)
	return outcome{code, out.String(), errs.String()}
}

// held is how many records a topic has.
func held(t *testing.T, topic string) (n int64) {
	t.Helper()
	ends, err := kadm.NewClient(testkit.KafkaClient(t)).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

func TestImportPrintsItsResult(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 4, nil)
	logs := filepath.Join("..", "..", "ingest", "importer", "testdata", "irc")
	got := publish(t.Context(), seed, topic, nil, "import", "irc", "--json", logs)
	var res importer.Result
	if err := json.Unmarshal([]byte(got.out), &res); err != nil || got.code != 0 {
		t.Fatalf("%+v: %v", got, err)
	}
	if n := held(t, topic); n != 29 || res.Published != n || res.Files != 6 || res.Skipped["action"] != 6 {
		t.Errorf("%d records, %+v", n, res)
	}
	if got = publish(t.Context(), seed, topic, nil, "import", "irc", logs); !strings.HasPrefix(got.out, "29 published; lines read: 52, files: 6; skipped 6 action, ") {
		t.Errorf("%+v", got)
	}
}

func TestImportReadsStandardInput(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	in := strings.NewReader("{\"event_id\":\"1\"}\nnot JSON\n" + strings.Repeat("x", schemas.MaxEventBytes+1) + "\n")
	if got := publish(t.Context(), seed, topic, in, "import", "ndjson", "-"); got.code != 0 || held(t, topic) != 3 {
		t.Errorf("%+v, %d records", got, held(t, topic))
	}
}

func TestPublishingExitCodes(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	undated := filepath.Join(t.TempDir(), "chat.txt")
	if err := os.WriteFile(undated, []byte("[12:00] <ada> when?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		seed, topic string
		args        []string
		code        int
		say         string
	}{
		{seed, topic, []string{"import", "irc"}, 2, "at least 1 arg"},
		{seed, topic, []string{"import", "irc", "no-such-folder"}, 2, "no-such-folder"},
		{seed, topic, []string{"import", "irc", undated}, 2, "without a date"},
		{seed, topic, []string{"import", "irc", "--timezone", "Mars/Base", undated}, 2, "Mars/Base"},
		{seed, topic, []string{"import", "slack", undated}, 2, "Slack's export"},
		{seed, testkit.Name(t), []string{"import", "irc", undated}, 2, "coldstream init"},
		{"127.0.0.1:1", topic, []string{"import", "irc", undated}, 3, "127.0.0.1:1"},
		{seed, topic, []string{"generate", "--events", "-1"}, 2, "events -1"},
		{seed, topic, []string{"generate", "--span", "1h"}, 2, "--start"},
		{seed, topic, []string{"generate", "--start", "soon"}, 2, "soon"},
		{seed, topic, []string{"generate", "--start", "2084-01-01"}, 2, "more than a day ahead"},
		{seed, topic, []string{"generate", "--output", "-", "--json"}, 2, "name a file"},
		{seed, topic, []string{"generate", "--colour", "red"}, 2, "colour"},
	} {
		got := publish(t.Context(), c.seed, c.topic, nil, c.args...)
		if got.code != c.code || !strings.Contains(got.err, c.say) || got.out != "" {
			t.Errorf("%v: %+v, want exit %d and %q", c.args, got, c.code, c.say)
		}
	}
}

func TestGeneratePublishesWhatItCounts(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 4, nil)
	got := publish(t.Context(), seed, topic, nil, "generate", "--events", "5000", "--bad", "0.002", "--json")
	var s generator.Stats
	if err := json.Unmarshal([]byte(got.out), &s); err != nil || got.code != 0 {
		t.Fatalf("%+v: %v", got, err)
	}
	if n := held(t, topic); s.Events != 5000 || s.Repeats != 50 || s.Dead != 10 || s.Records != n || n != 5060 {
		t.Errorf("%d records, %+v", n, s)
	}
}

func TestGenerateWritesTheSameFileTwice(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(dir, fmt.Sprint(i))
		got := publish(t.Context(), "", "", nil, "generate", "--events", "3000", "--start", "2024-03-01", "--span", "2h", "--output", path)
		if got.code != 0 {
			t.Fatalf("%+v", got)
		}
		var err error
		if files[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) || bytes.Count(files[0], []byte("\n")) != 3033 {
		t.Errorf("files of %d and %d bytes, %d lines", len(files[0]), len(files[1]), bytes.Count(files[0], []byte("\n")))
	}
}

// cancelling ends a context when the n-th byte is read.
type cancelling struct {
	r      io.Reader
	n      int
	cancel context.CancelFunc
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 1000)])
	if c.n -= n; c.n <= 0 {
		c.cancel()
	}
	return n, err
}

func TestAnInterruptedImportSaysWhereItStopped(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := &cancelling{strings.NewReader(strings.Repeat("{\"event_id\":\"1\"}\n", 10_000)), 50_000, cancel}
	got := publish(ctx, seed, topic, in, "import", "ndjson", "--json", "-")
	var res importer.Result
	if err := json.Unmarshal([]byte(got.out), &res); err != nil || got.code != 130 {
		t.Fatalf("%+v: %v", got, err)
	}
	if n := held(t, topic); n == 0 || n == 10_000 || res.Published != n || res.Lines != n {
		t.Errorf("%d records, %+v", n, res)
	}
	if want := fmt.Sprintf("stopped at standard input:%d", res.Lines+1); !strings.Contains(got.err, want) || !strings.Contains(got.err, "run it again") {
		t.Errorf("%q is missing in %s", want, got.err)
	}
}

func TestGenerateWithoutEndStopsAtCtrlC(t *testing.T) {
	seed, topic := testkit.Kafka(t), testkit.Topic(t, 1, nil)
	for events, code := range map[string]int{"0": 0, "1000000": 130} {
		ctx, cancel := context.WithCancel(t.Context())
		before := held(t, topic)
		done := make(chan outcome)
		go func() {
			done <- publish(ctx, seed, topic, nil, "generate", "--events", events, "--rate", "2000", "--json")
		}()
		testkit.Eventually(t, 20*time.Second, func() error {
			if n := held(t, topic) - before; n < 100 {
				return fmt.Errorf("%d records", n)
			}
			return nil
		})
		cancel()
		got := <-done
		var s generator.Stats
		if err := json.Unmarshal([]byte(got.out), &s); err != nil || got.code != code {
			t.Fatalf("--events %s: %+v: %v", events, got, err)
		}
		if n := held(t, topic) - before; s.Records != n {
			t.Errorf("--events %s: %d records, %+v", events, n, s)
		}
	}
}
