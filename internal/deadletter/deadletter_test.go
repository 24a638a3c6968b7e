package deadletter_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/deadletter"
	"github.com/coldstream/coldstream/schemas"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	at := time.UnixMilli(1700000000000).UTC()
	want := schemas.DeadLetter{Topic: "events", Partition: 3, Offset: 1 << 40, Time: at, Value: []byte{0, 1}, Stage: "decode", Error: "json: cut", Schema: "7"}
	r := deadletter.Record("events.dlq", &want)
	r.Timestamp = at
	if string(r.Key) != "events:3:1099511627776" || r.Topic != "events.dlq" {
		t.Fatalf("%s %s", r.Key, r.Topic)
	}
	if got := deadletter.Parse(r); !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v", got)
	}
}
