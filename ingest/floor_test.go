package ingest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// floorAt is a Floor that gives these positions one after the other, and then the last for ever.
func floorAt(positions ...int64) (floor ingest.FloorFunc, calls *atomic.Int64) {
	calls = new(atomic.Int64)
	return func(_ context.Context, sources []schemas.Source) ([]schemas.Start, error) {
		n := min(int(calls.Add(1)), len(positions)) - 1
		starts := make([]schemas.Start, len(sources))
		for i, s := range sources {
			starts[i] = schemas.Start{Source: s, Offset: positions[n]}
		}
		return starts, nil
	}, calls
}

// readBefore makes a topic of six records that a group has read, and committed.
func readBefore(t *testing.T) (topic, group string) {
	t.Helper()
	topic, group = testkit.Topic(t, 1, nil), testkit.Name(t)
	produce(t, topic, 0, 6)
	m := newMemory()
	r := run(t, config(t, topic, group, m))
	waitRows(t, m, 6)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	return topic, group
}

// A table that was made anew beside a group that has read already must not begin in the middle of the log.
func TestForeignGroup(t *testing.T) {
	topic, group := readBefore(t)
	produce(t, topic, 6, 2)
	m := newMemory()
	cfg := config(t, topic, group, m)
	cfg.TransactionTimeout = time.Second
	floor, calls := floorAt(-1)
	cfg.Floor = floor
	r := run(t, cfg)
	r.ended(t)
	if !errors.Is(r.err, ingest.ErrForeignGroup) || errors.Is(r.err, schemas.ErrRewind) {
		t.Errorf("ended with %v", r.err)
	}
	for _, want := range []string{topic + "/0", group, "stands at 6", "begins at 0", "accept-gap"} {
		if r.err != nil && !strings.Contains(r.err.Error(), want) {
			t.Errorf("%v does not mention %q", r.err, want)
		}
	}
	if m.rows(0) != 0 || calls.Load() < 2 {
		t.Errorf("%d rows after %d questions to the table", m.rows(0), calls.Load())
	}
}

// What the group has committed may be seen before the table's records of it.
func TestTableKnowsLater(t *testing.T) {
	topic, group := readBefore(t)
	produce(t, topic, 6, 2)
	m := newMemory()
	cfg := config(t, topic, group, m)
	cfg.Floor, _ = floorAt(-1, -1, 6)
	r := run(t, cfg)
	waitRows(t, m, 2)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if m.starts[0].Offset != 6 || m.offsets[0][0] != 6 {
		t.Errorf("starts %+v, offsets %v", m.starts, m.offsets[0])
	}
}

// A partition whose log begins at the group's offset has nothing that the table could lack.
func TestLogBeginsAtGroup(t *testing.T) {
	topic, group := readBefore(t)
	admin := kadm.NewClient(testkit.KafkaClient(t))
	var before kadm.Offsets
	before.Add(kadm.Offset{Topic: topic, Partition: 0, At: 6})
	if _, err := admin.DeleteRecords(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	produce(t, topic, 6, 2)
	m := newMemory()
	cfg := config(t, topic, group, m)
	floor, calls := floorAt(-1)
	cfg.Floor = floor
	r := run(t, cfg)
	waitRows(t, m, 2)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if m.offsets[0][0] != 6 || calls.Load() != 1 {
		t.Errorf("offsets %v after %d questions to the table", m.offsets[0], calls.Load())
	}
}

// A group whose offsets were moved past the table, or whose announced checkpoints were lost with topic `chunks`, must not
// begin there: what lies between would be a gap in the table that nothing closes.
func TestGroupPastTheTable(t *testing.T) {
	topic, group := readBefore(t)
	produce(t, topic, 6, 2)
	m := newMemory()
	cfg := config(t, topic, group, m)
	cfg.TransactionTimeout = time.Second
	floor, calls := floorAt(4)
	cfg.Floor = floor
	r := run(t, cfg)
	r.ended(t)
	if !errors.Is(r.err, ingest.ErrForeignGroup) || errors.Is(r.err, schemas.ErrRewind) {
		t.Errorf("ended with %v", r.err)
	}
	for _, want := range []string{topic + "/0", group, "stands at 6", "at 4", "accept-gap", "earliest"} {
		if r.err != nil && !strings.Contains(r.err.Error(), want) {
			t.Errorf("%v does not mention %q", r.err, want)
		}
	}
	if m.rows(0) != 0 || calls.Load() < 2 {
		t.Errorf("%d rows after %d questions to the table", m.rows(0), calls.Load())
	}
}
