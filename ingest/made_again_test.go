package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// A pipeline that runs while its topic is deleted and made again must look at the new one, whose offsets mean other
// records, and not ask for the old one for ever.
func TestTopicMadeAgainWhileReading(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	m := newMemory()
	cfg := config(t, topic, testkit.Name(t), m)
	foreign := errors.New("the topic has another id")
	first := ""
	cfg.Floor = func(_ context.Context, sources []schemas.Source) ([]schemas.Start, error) {
		if first == "" {
			first = sources[0].TopicID
		}
		if sources[0].TopicID != first {
			return nil, foreign
		}
		return []schemas.Start{{Source: sources[0], Offset: -1}}, nil
	}
	r := run(t, cfg)
	produce(t, topic, 0, 3)
	waitRows(t, m, 3)
	if _, err := adm.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		_, err := adm.CreateTopic(t.Context(), 1, 1, nil, topic)
		return err
	})
	r.ended(t)
	if strings.Contains(r.err.Error(), "does not exist") { // it looked in between, and would be started again
		r = run(t, cfg)
		r.ended(t)
	}
	if !errors.Is(r.err, foreign) {
		t.Errorf("ended with %v", r.err)
	}
	if m.rows(0) != 3 {
		t.Errorf("%d rows", m.rows(0))
	}
}
