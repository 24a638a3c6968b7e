package topics_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/coldstream/coldstream/ingest/topics"
	"github.com/coldstream/coldstream/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestEnsureLeavesTopicsThatCanBeUsedAtOnce(t *testing.T) {
	adm := kadm.NewClient(testkit.KafkaClient(t))
	for range 5 { // a broker shows a new topic late only now and then
		name := testkit.Name(t)
		c := topics.Config{Events: name, Chunks: name + ".chunks", Erasures: name + ".erasures", DLQ: name + ".dlq", Partitions: 3, Retention: time.Hour}
		changes, err := topics.Ensure(t.Context(), adm, c, false)
		if err != nil || len(changes) != 4 {
			t.Fatalf("made %v: %v", changes, err)
		}
		m, err := kadm.NewClient(testkit.KafkaClient(t)).Metadata(t.Context(), c.Events, c.Chunks, c.Erasures, c.DLQ)
		if err = errors.Join(err, m.Topics.Error()); err != nil {
			t.Fatal(err)
		}
		if n := len(m.Topics[c.Events].Partitions); n != 3 {
			t.Errorf("%d partitions", n)
		}
		if again, err := topics.Ensure(t.Context(), adm, c, false); err != nil || len(again) != 0 {
			t.Errorf("a second time: %v, %v", again, err)
		}
	}
}

func TestAwaitNamesWhatIsMissing(t *testing.T) {
	adm := kadm.NewClient(testkit.KafkaClient(t))
	have, absent := testkit.Topic(t, 1, nil), testkit.Name(t)
	if err := topics.Await(t.Context(), adm, have); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := topics.Await(ctx, adm, have, absent)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("await ended with %v", err)
	}
	if !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), absent) {
		t.Errorf("it does not name the topic: %v", err)
	}
}
