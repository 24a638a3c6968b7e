package lake_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
)

// A worker whose log has lost its next records stops, whatever its group says; once the gap is accepted it goes on behind
// it. While a worker holds the partition the gap cannot be accepted: it may have the lost records in memory.
func TestAcceptedGap(t *testing.T) {
	w := newWorld(t, 1)
	seeds := []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))}
	request := lake.GapRequest{Client: seeds, Chunks: w.chunks, Group: w.group, Topic: w.events, Partition: lake.AllPartitions}
	w.produce(0, many(0, 10)...)
	k := w.start("a")
	w.want(10)
	k.stop()
	commit := func() {
		t.Helper()
		id, err := lake.IdentifyTopic(t.Context(), seeds, w.chunks)
		if err != nil {
			t.Fatal(err)
		}
		records, err := w.records(w.chunks)
		if err != nil {
			t.Fatal(err)
		}
		var taken []lake.Record
		for _, r := range records {
			taken = append(taken, lake.Record{Offset: r.Offset, Value: r.Value})
		}
		if _, err := lake.NewCommitter(w.table, id.Cluster, id.Topic, id.TopicID).Commit(t.Context(), taken); err != nil {
			t.Fatal(err)
		}
	}
	commit()

	w.produce(0, many(10, 10)...)
	held := w.start("b", slow)
	w.waitHeld(held, 10)
	ends, err := kadm.NewClient(w.producer).ListEndOffsets(t.Context(), w.events)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(w.events, 0)
	w.deleteBefore(0, end.Offset-3)
	if _, err := w.table.AcceptGap(t.Context(), request); !errors.Is(err, lake.ErrHeld) {
		t.Errorf("a worker holds the records: %v", err)
	}
	held.stop() // with a checkpoint of what it had
	w.want(20)
	commit()
	if _, err := w.table.AcceptGap(t.Context(), request); !errors.Is(err, lake.ErrNothing) {
		t.Errorf("the worker saved them: %v", err)
	}

	w.produce(0, many(20, 10)...)
	w.deleteBefore(0, end.Offset+4)
	stuck := w.start("c")
	<-stuck.done
	if !errors.Is(stuck.err, ingest.ErrOffsetGone) {
		t.Fatalf("a worker went on: %v", stuck.err)
	}
	d, err := w.table.AcceptGap(t.Context(), request)
	if err != nil || d.Lost < 4 || d.Ranges[0].To != end.Offset+4 {
		t.Fatalf("accepted: %+v, %v", d, err)
	}
	w.start("d")
	testkit.Eventually(t, patience, func() error {
		p, err := w.table.PositionAtEnd(t.Context(), seeds, w.chunks)
		if err == nil && (len(p.Sources) != 1 || p.Sources[0].Next < end.Offset+10) {
			err = errors.New("not there yet")
		}
		return err
	})
	commit()
	v, err := w.table.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := v.Files(t.Context(), lake.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for _, f := range files {
		rows += f.Rows
	}
	if rows != 26 {
		t.Errorf("%d rows, want 26", rows)
	}
}
