package processors_test

import (
	"testing"

	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

func batch(first int64, ids ...int64) *schemas.Batch {
	b := &schemas.Batch{}
	for i, id := range ids {
		b.Append(&schemas.Row{EventID: id, Offset: first + int64(i), Content: []byte("hello")})
	}
	return b
}

func TestDedupDropsWhatItRemembersAndWhatItSaw(t *testing.T) {
	d, err := processors.NewDedup(8)
	if err != nil {
		t.Fatal(err)
	}
	d.Remember(batch(0, 1, 2))
	b := batch(2, 2, 3, 3)
	if err := d.Process(b); err != nil {
		t.Fatal(err)
	}
	if n := b.Compact(); n != 2 || b.Len() != 1 || b.EventID[0] != 3 || b.Offset[0] != 3 {
		t.Fatalf("%d dropped, %d left", n, b.Len())
	}
	late := batch(11, 3) // the last 3 stood at offset 4: seven before
	if err := d.Process(late); err != nil || late.Compact() != 1 {
		t.Fatal("a repeat of a repeat within the window should go")
	}
	far := batch(20, 3) // nine after
	if err := d.Process(far); err != nil || far.Compact() != 0 {
		t.Fatal("a repeat beyond the window should stay")
	}
}

func TestRedactReplacesContentAndCounts(t *testing.T) {
	e, err := redact.New(redact.Policy{Version: 4})
	if err != nil {
		t.Fatal(err)
	}
	b := &schemas.Batch{}
	b.Append(&schemas.Row{Content: []byte("write to jane.doe@example.com or bob@example.org"), Extra: []byte(`{"a":1}`)})
	b.Append(&schemas.Row{Content: []byte("nothing here")})
	if err := processors.NewRedact(e).Process(b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(b.Content[0]); got != "write to [REDACTED:email] or [REDACTED:email]" || b.Redactions[0] != 2 || b.Policy != 4 {
		t.Fatalf("%q, %d, policy %d", got, b.Redactions[0], b.Policy)
	}
	if b.String(b.Content[1]) != "nothing here" || b.Redactions[1] != 0 || b.String(b.Extra[0]) != `{"a":1}` {
		t.Fatal("the rest changed")
	}
}

func TestRedactDropsWhatThePolicySays(t *testing.T) {
	e, err := redact.New(redact.Policy{
		Version: 2, Actions: map[redact.Type]redact.Action{redact.SSN: redact.Drop, redact.IP: redact.Keep, redact.Email: redact.Mask},
		Detectors: []redact.Detector{{Name: "project", Action: redact.Drop, Literals: []string{"bluebird"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &schemas.Batch{}
	for i, text := range []string{"ssn 078-05-1121", "mail bob@example.com", "Bluebird and bob@example.com", "from 203.0.113.9", ""} {
		b.Append(&schemas.Row{EventID: int64(i), Offset: int64(i), Content: []byte(text)})
	}
	if err := processors.NewRedact(e).Process(b); err != nil {
		t.Fatal(err)
	}
	if !b.Dropped(0) || b.Dropped(1) || !b.Dropped(2) || b.Compact() != 2 || b.Len() != 3 {
		t.Fatalf("%d rows left", b.Len())
	}
	for i, want := range []string{"mail [email:****.com]", "from 203.0.113.9", ""} {
		if got := b.String(b.Content[i]); got != want || (b.Redactions[i] == 1) != (want != "") {
			t.Errorf("%q with %d redactions", got, b.Redactions[i])
		}
	}
}
