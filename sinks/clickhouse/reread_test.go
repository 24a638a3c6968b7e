package clickhouse_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// A dead letter of the hot sink carries the record as it was, which the sink does not keep; or says that it is gone.
func TestADeadLetterCarriesTheOriginalBytes(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	h := newHot(t, nil, func(c *clickhouse.Config) { c.Reread = []kgo.Opt{kgo.SeedBrokers(testkit.Kafka(t))} })
	h.source = schemas.Source{Topic: topic}
	h.exec("ALTER TABLE state ADD CONSTRAINT clean CHECK tupleElement(content, 'text') NOT IN ('text 0', 'text 3')")
	client := testkit.KafkaClient(t)
	all := docs(5)
	for _, doc := range all {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("5"), Value: []byte(" " + doc)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 2, -1)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	h.write(all...)
	h.flush()
	if len(h.letters) != 2 {
		t.Fatalf("%+v", h.letters)
	}
	gone, kept := h.letters[0], h.letters[1]
	if gone.Offset != 0 || gone.Value != nil || !strings.Contains(gone.Error, "no longer holds the record") {
		t.Errorf("%+v", gone)
	}
	if kept.Offset != 3 || string(kept.Value) != " "+all[3] || string(kept.Key) != "5" || kept.Time.IsZero() {
		t.Errorf("%+v", kept)
	}
}
