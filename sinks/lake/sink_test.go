package lake_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas/parquet"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

// The shortest way: a JSON record becomes a row of a Parquet file and a record in chunks.
func TestOneEvent(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, event(monday, 1))
	k := w.start("a")
	c := w.want(1)
	if len(c.files) != 1 || c.files[0].Day != 20514 || c.files[0].Rows != 1 {
		t.Errorf("files %+v", c.files)
	}
	k.stop()
	if s := k.sink.Stats(); s.Checkpoints != 1 || s.Rows != 1 || s.HeldRows != 0 {
		t.Errorf("stats %+v", s)
	}
}

// The columns that files have are those of the table.
func TestFilesHaveTheTablesFields(t *testing.T) {
	fields := lake.EventsSchema().Fields()
	got := parquet.Fields()
	if len(got) != len(fields) {
		t.Fatalf("%d columns, the table has %d", len(got), len(fields))
	}
	for i, f := range fields {
		if want := (parquet.Field{ID: f.ID, Name: f.Name, Required: f.Required, Bounds: !lake.NoBounds(f.ID)}); got[i] != want {
			t.Errorf("column %d is %+v, the table says %+v", i, got[i], want)
		}
	}
}

// A stop makes durable what is held, a request does so without a stop, and an idle worker writes nothing.
func TestRequestStopAndIdle(t *testing.T) {
	w := newWorld(t, 2)
	k := w.start("a", slow)
	w.produce(0, many(0, 10)...)
	w.waitHeld(k, 10)
	k.sink.RequestCheckpoint()
	w.want(10)
	w.produce(1, many(10, 10)...)
	w.waitHeld(k, 10)
	k.stop()
	c := w.want(20)
	if len(c.checkpoints) != 2 {
		t.Errorf("%d checkpoints, want one for the request and one for the stop", len(c.checkpoints))
	}
	idle := w.start("a")
	testkit.Eventually(t, patience, func() error {
		lag, err := idle.pipeline.Lag(t.Context())
		if err == nil && len(lag) != 2 {
			err = fmt.Errorf("%d partitions held", len(lag))
		}
		return err
	})
	idle.sink.RequestCheckpoint()
	idle.stop()
	if c := w.want(20); len(c.checkpoints) != 2 {
		t.Errorf("an idle worker wrote a checkpoint: %d", len(c.checkpoints))
	}
}

// waitHeld waits until a worker has buffered n rows.
func (w *world) waitHeld(k *worker, n int) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, func() error {
		if s := k.sink.Stats(); s.HeldRows < n {
			return fmt.Errorf("%d rows held, want %d", s.HeldRows, n)
		}
		return nil
	})
}

// Refused records are in the dead letters once each, whole, with where and why; the stream goes on.
func TestDeadLetters(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, "not json", event(monday, 1), `{"event_id":"1"`, "")
	if err := w.producer.ProduceSync(t.Context(), &kgo.Record{Topic: w.events, Key: []byte("k"), Value: nil}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	k := w.start("a", func(_ *ingest.Config, c *sink.Config) { c.Checkpoint = time.Hour })
	c := w.want(1)
	k.stop()
	if len(c.checkpoints) != 1 || c.checkpoints[0].Counters != (lake.Counters{Events: 1, Dead: 4}) {
		t.Errorf("counters %+v", c.checkpoints[0].Counters)
	}
	w.start("a").stop()
	letters, err := w.records(w.dlq)
	if err != nil {
		t.Fatal(err)
	}
	if len(letters) != 4 {
		t.Fatalf("%d dead letters", len(letters))
	}
	headers := map[string]string{}
	for _, h := range letters[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	if string(letters[0].Key) != w.events+":0:0" || string(letters[0].Value) != "not json" || headers["error"] == "" ||
		headers["stage"] != "decode" || headers["topic"] != w.events || headers["partition"] != "0" || headers["offset"] != "0" {
		t.Errorf("dead letter %s %q %v", letters[0].Key, letters[0].Value, headers)
	}
	if _, has := headers["schema"]; !has || letters[3].Value != nil {
		t.Errorf("headers %v, tombstone %q", headers, letters[3].Value)
	}
	if s := k.pipeline.Stats(); len(s.Dead) == 0 || s.Records != 5 || s.Events != 1 {
		t.Errorf("stats %+v", s)
	}
}

// Positions advance over aborted transactions and markers, which leave gaps in the offsets.
func TestGapsInOffsets(t *testing.T) {
	w := newWorld(t, 1)
	tx := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)), kgo.DefaultProduceTopic(w.events))
	send := func(end kgo.TransactionEndTry, values ...string) {
		t.Helper()
		if err := tx.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			tx.Produce(t.Context(), kgo.StringRecord(v), nil)
		}
		if err := tx.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := tx.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	send(kgo.TryAbort, many(0, 3)...)
	send(kgo.TryCommit, many(10, 3)...)
	w.produce(0, many(20, 2)...)
	send(kgo.TryAbort, many(30, 3)...)
	k := w.start("a")
	w.want(5)
	var last int64
	testkit.Eventually(t, patience, func() error {
		lag, err := k.pipeline.Lag(t.Context())
		if err != nil || len(lag) != 1 || lag[0].Records() != 0 || lag[0].End == 0 {
			return fmt.Errorf("lag %+v, %v", lag, err)
		}
		last = lag[0].End
		return nil
	})
	testkit.Eventually(t, patience, func() error {
		if c := w.want(5); c.next[0] != last {
			return fmt.Errorf("position %d, the log ends at %d", c.next[0], last)
		}
		return nil
	})
}

// A repeat is dropped also by a worker that has not read the first copy itself, and its offset is covered.
func TestDedupAcrossRestart(t *testing.T) {
	w := newWorld(t, 1)
	w.window = 8
	w.produce(0, many(0, 3)...)
	k := w.start("a")
	w.want(3)
	k.stop()
	w.produce(0, many(0, 3)...)   // repeats of offsets 0 to 2 at 3 to 5: within the window
	w.produce(0, many(10, 20)...) // pushes them out
	w.produce(0, many(0, 1)...)   // too far from the last copy: kept
	k = w.start("a")
	var c *content
	testkit.Eventually(t, patience, func() error {
		if c = w.want(23); c.next[0] < 27 {
			return fmt.Errorf("position %d", c.next[0])
		}
		return nil
	})
	k.stop()
	for at, want := range map[string]int{"0/2": 1, "0/3": 0, "0/4": 0, "0/5": 0, "0/6": 1, "0/26": 1} {
		if c.at[at] != want {
			t.Errorf("record %s is stored %d times, want %d", at, c.at[at], want)
		}
	}
	if s := k.pipeline.Stats(); s.Repeats != 3 {
		t.Errorf("%d repeats, want 3", s.Repeats)
	}
}

// A checkpoint of repeats only has no file and still moves the position.
func TestOnlyRepeats(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 5)...)
	k := w.start("a")
	w.want(5)
	k.stop()
	w.produce(0, many(0, 5)...)
	k = w.start("a")
	testkit.Eventually(t, patience, func() error {
		c := w.want(5)
		last := c.checkpoints[len(c.checkpoints)-1]
		if c.next[0] != 10 || len(last.Files) != 0 || last.Counters.Repeats != 5 {
			return fmt.Errorf("position %d, %+v", c.next[0], last)
		}
		return nil
	})
	k.stop()
}

// The time before which everything is archived passes a partition that stands still.
func TestIdlePartitionIsComplete(t *testing.T) {
	w := newWorld(t, 2)
	w.produce(0, many(0, 1)...)
	k := w.start("a", func(ic *ingest.Config, _ *sink.Config) { ic.Idle = 20 * time.Millisecond })
	n := 1
	testkit.Eventually(t, patience, func() error {
		w.produce(0, many(n, 1)...)
		n++
		c, err := w.read()
		if err != nil {
			return err
		}
		for _, cp := range c.checkpoints {
			if len(cp.Sources) == 2 && cp.Sources[0].CompleteMs > 0 && cp.Sources[1].CompleteMs > 0 && cp.Sources[1].Next == 0 {
				return nil
			}
		}
		return fmt.Errorf("%d checkpoints, none of both partitions", len(c.checkpoints))
	})
	k.stop()
	w.want(n)
}

// A backlog of many days is one file a day with its windows inside.
func TestBacklogOfDays(t *testing.T) {
	w := newWorld(t, 1)
	const days, perDay = 12, 10
	var all []string
	for d := range days {
		for i := range perDay {
			all = append(all, event(monday.Add(time.Duration(d)*24*time.Hour+time.Duration(i)*7*time.Minute), d*perDay+i))
		}
	}
	w.produce(0, all...)
	k := w.start("a", slow)
	w.waitHeld(k, days*perDay)
	k.stop()
	c := w.want(days * perDay)
	if len(c.files) != days || countDay(paths(c), "2026-03-05") != 1 {
		t.Errorf("%d files for %d days", len(c.files), days)
	}
	for _, f := range c.files {
		if len(f.Chunks) != perDay || f.Rows != perDay {
			t.Errorf("%s: %d chunks, %d rows", f.Path, len(f.Chunks), f.Rows)
		}
	}
}

// A window above the limit has a file of its own.
func TestLargeWindow(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 300)...)                      // one window, about 75 kB held
	w.produce(0, event(monday.Add(time.Hour), 1000))   // another
	w.produce(0, event(monday.Add(2*time.Hour), 1001)) // and another
	k := w.start("a", slow, func(_ *ingest.Config, c *sink.Config) { c.FileBytes = 32 << 10 })
	w.waitHeld(k, 302)
	k.stop()
	c := w.want(302)
	if len(c.files) != 2 {
		t.Fatalf("%d files", len(c.files))
	}
	for _, f := range c.files {
		if (f.Rows == 300) != (len(f.Chunks) == 1) {
			t.Errorf("%s: %d rows in %d chunks", f.Path, f.Rows, len(f.Chunks))
		}
	}
}

// Retention that overtook the worker is an error that says what to do.
func TestOffsetGone(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(0, many(0, 5)...)
	k := w.start("a")
	w.want(5)
	k.stop()
	w.produce(0, many(10, 5)...)
	w.deleteBefore(0, 8)
	k = w.start("a")
	<-k.done
	if !errors.Is(k.err, ingest.ErrOffsetGone) {
		t.Errorf("worker ended with %v", k.err)
	}
	w.want(5)
}
