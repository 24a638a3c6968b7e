package broker_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Sizes of a transaction's end marker in a log, and of its index entry.
const (
	markerSize     = 78
	indexEntrySize = 15
)

// cutMarker takes the end marker off partition 0 of a topic, as if the broker had been killed before it wrote it.
func cutMarker(t *testing.T, dir, topic string) {
	t.Helper()
	for name, size := range map[string]int64{"0.dat": markerSize, "0.idx": indexEntrySize} {
		path := filepath.Join(dir, "partitions", topic+"-0", name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()-size); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHalfCommittedTransactionIsCommittedEverywhere(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "chunks", 1)
	create(t, b.addr, "dlq", 1)
	txn := dial(t, b.addr, kgo.TransactionalID("worker"))
	send := func(topic, value string) {
		t.Helper()
		if err := txn.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	send("chunks", "checkpoint")
	send("dlq", "dead letter")
	producers := filepath.Join(dir, "pids.log")
	before, err := os.ReadFile(producers)
	if err != nil {
		t.Fatal(err)
	}
	if err := txn.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	send("chunks", "never committed")
	b.kill()

	cutMarker(t, dir, "dlq")
	if err := os.WriteFile(producers, before, 0o600); err != nil {
		t.Fatal(err)
	}
	b = startChild(t, dir, b.addr)
	if got := values(t, b.addr, "chunks"); !slices.Equal(got, []string{"checkpoint"}) {
		t.Errorf("chunks shows %q", got)
	}
	if got := values(t, b.addr, "dlq"); !slices.Equal(got, []string{"dead letter"}) {
		t.Errorf("dlq shows %q: the transaction was committed in chunks", got)
	}
}

// A reader that meets a transaction cut off by a crash must not lose what the same producer writes after it.
func TestReaderKeepsWhatFollowsACutOffTransaction(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "chunks", 1)
	begin(t, dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("chunks")), "cut off")
	b.kill()
	b = startChild(t, dir, b.addr)
	heir := dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("chunks"))
	begin(t, heir, "after")
	if err := heir.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := values(t, b.addr, "chunks"); !slices.Equal(got, []string{"after"}) {
		t.Fatalf("visible: %q, want what was committed after the crash", got)
	}
}

func TestTornWritesAreCutOff(t *testing.T) {
	dir := t.TempDir()
	b := startChild(t, dir, "127.0.0.1:0")
	create(t, b.addr, "events", 1)
	producer := dial(t, b.addr, kgo.DefaultProduceTopic("events"))
	for _, value := range []string{"one", "two"} {
		if err := producer.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.kill()
	for _, name := range []string{"partitions/events-0/0.dat", "groups.log", "pids.log"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("\x00\x00\x00half a write, and then the power went")); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // what the first start appends must be there for the second
		b = startChild(t, dir, b.addr)
		begin(t, dial(t, b.addr, kgo.TransactionalID("worker"), kgo.DefaultProduceTopic("events")), "aborted")
		b.kill()
	}
	b = startChild(t, dir, b.addr)
	if got := values(t, b.addr, "events"); !slices.Equal(got, []string{"one", "two"}) {
		t.Fatalf("visible: %q", got)
	}
}
