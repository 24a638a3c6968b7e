package broker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/dirlock"
)

func settings(pairs ...string) map[string]*string {
	m := map[string]*string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = kadm.StringPtr(pairs[i+1])
	}
	return m
}

// bounds are start and end of partition 0.
func bounds(t *testing.T, b *Broker, topic string) (start, end int64) {
	t.Helper()
	info := b.cluster.PartitionInfo(topic, 0)
	if info == nil {
		t.Fatalf("topic %s has no partition 0", topic)
	}
	return info.LogStartOffset, info.HighWatermark
}

// round makes a round of upkeep as if it were later.
func round(t *testing.T, b *Broker, later time.Duration) {
	t.Helper()
	if err := b.upkeep.round(t.Context(), time.Now().Add(later)); err != nil {
		t.Fatal(err)
	}
}

// look has the size of the logs looked at.
func look(t *testing.T, b *Broker) {
	t.Helper()
	if err := b.upkeep.look(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
}

// idle is a configuration whose own rounds and looks do not come in a test's time.
func idle(dir string) Config { return Config{Dir: dir, RetentionTick: time.Hour, CapTick: time.Hour} }

func TestRetentionGoesByTheTimeOfAppending(t *testing.T) {
	b := startWith(t, idle(t.TempDir()))
	createTopic(t, b, 1, settings("retention.ms", "60000"), "events")
	old := time.Date(2004, 7, 5, 0, 0, 0, 0, time.UTC)
	send := func(value string, timestamp time.Time) {
		t.Helper()
		r := &kgo.Record{Topic: "events", Value: []byte(value), Timestamp: timestamp}
		if err := client(t, b).ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	send("fresh", time.Now())
	send("from 2004", old)
	round(t, b, 0)
	if start, end := bounds(t, b, "events"); start != 0 || end != 2 {
		t.Fatalf("log is [%d, %d), want [0, 2): nothing is older than a minute here", start, end)
	}
	round(t, b, 30*time.Second)
	send("later", time.Now())
	round(t, b, 45*time.Second)
	round(t, b, 61*time.Second)
	if start, _ := bounds(t, b, "events"); start != 2 {
		t.Fatalf("log starts at %d a minute after the first two records, want 2", start)
	}
	if got := consume(t, b, "events", 1); string(got[0].Value) != "later" {
		t.Errorf("first record left is %q", got[0].Value)
	}
}

// An emptied log must not begin again at offset 0: offsets would mean other records than before.
func TestEmptiedLogKeepsItsEndOverARestart(t *testing.T) {
	for name, empty := range map[string]func(*testing.T, *Broker){
		"by retention": func(t *testing.T, b *Broker) {
			round(t, b, 0)
			round(t, b, time.Hour)
		},
		"by a client": func(t *testing.T, b *Broker) {
			offsets := kadm.Offsets{}
			offsets.AddOffset("events", 0, 3, -1)
			deleted, err := kadm.NewClient(client(t, b)).DeleteRecords(t.Context(), offsets)
			if err = errors.Join(err, deleted.Error()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := startWith(t, idle(dir))
			createTopic(t, b, 1, settings("retention.ms", "60000"), "events")
			produce(t, b, "events", "one", "two", "three")
			empty(t, b)
			if start, end := bounds(t, b, "events"); start != 3 || end != 3 {
				t.Fatalf("log is [%d, %d), want it empty at 3", start, end)
			}
			for range 2 {
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
				b = startWith(t, idle(dir))
				if _, end := bounds(t, b, "events"); end != 3 {
					t.Fatalf("log ends at %d after a restart, want 3", end)
				}
			}
			produce(t, b, "events", "four")
			got := consume(t, b, "events", 1)
			if string(got[0].Value) != "four" || got[0].Offset != 3 {
				t.Errorf("got %q at %d, want four at 3", got[0].Value, got[0].Offset)
			}
		})
	}
}

func TestTopicMadeAgainStartsAtZero(t *testing.T) {
	dir := t.TempDir()
	b := startWith(t, idle(dir))
	createTopic(t, b, 1, nil, "events")
	produce(t, b, "events", "one", "two")
	round(t, b, 0)
	if _, err := kadm.NewClient(client(t, b)).DeleteTopic(t.Context(), "events"); err != nil {
		t.Fatal(err)
	}
	createTopic(t, b, 1, nil, "events")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = startWith(t, idle(dir))
	if start, end := bounds(t, b, "events"); start != 0 || end != 0 {
		t.Fatalf("log is [%d, %d), want it empty at 0", start, end)
	}
}

func TestFirstKept(t *testing.T) {
	segments := []segment{{base: 0, size: 10}, {base: 5, size: 10}, {base: 9, size: 10}}
	for limit, want := range map[int64]int{0: 2, 10: 2, 19: 2, 20: 1, 29: 1, 30: 0, 100: 0} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			if got := firstKept(segments, limit); got != want {
				t.Errorf("first kept is %d, want %d", got, want)
			}
		})
	}
}

func TestFolderIsHeldByOneBroker(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir}); !errors.Is(err, dirlock.ErrHeld) {
		t.Fatalf("second broker on one folder: %v, want ErrHeld", err)
	}
}

func TestConfigReportsEveryMistake(t *testing.T) {
	err := Config{Addr: "nonsense", RetentionTick: -1, CapTick: -1, MaxBytes: -1}.Validate()
	for _, want := range []string{"Dir", "Addr", "RetentionTick", "CapTick", "MaxBytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not speak of %s", err, want)
		}
	}
}
