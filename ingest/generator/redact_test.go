package generator_test

import (
	"testing"

	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// TestEveryTypeOfRedactionFindsSomething: a demo on made-up chat shows what redaction does, and finds no more than was put in.
func TestEveryTypeOfRedactionFindsSomething(t *testing.T) {
	engine, err := redact.New(redact.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	o := planned(60_000)
	o.Bad, o.Duplicates = 0, 0
	rs, _ := all(t, o)
	decoder, b := codec.JSON{Epoch: schemas.DiscordEpoch}, new(schemas.Batch)
	found, messages := map[redact.Type]int{}, 0
	for _, r := range rs {
		b.Reset()
		if err := decoder.Decode(b, r.value, codec.Origin{Time: -1}); err != nil {
			t.Fatal(err)
		}
		spans := engine.Find(nil, b.Bytes(b.Content[0]))
		for _, s := range spans {
			found[s.Type]++
		}
		if len(spans) > 0 {
			messages++
		}
	}
	for _, kind := range redact.Types() {
		if found[kind] < 20 {
			t.Errorf("%v is found %d times", kind, found[kind])
		}
	}
	if messages < len(rs)/100 || messages > len(rs)/50 {
		t.Errorf("something is found in %d of %d messages", messages, len(rs))
	}
}
