package calm

import (
	"testing"

	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/schemas"
)

func TestCalm(t *testing.T) {
	p, err := New(custom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &schemas.Batch{}
	for i, text := range []string{"READ THE MANUAL", "OK", "Hello", "  "} {
		b.Append(&schemas.Row{Offset: int64(i), Type: schemas.TypeCreated, Fields: schemas.FieldContent, Content: []byte(text)})
	}
	if err := p.Process(b); err != nil {
		t.Fatal(err)
	}
	if refused := b.Refused(); len(refused) != 1 || refused[0].Offset != 3 || b.Compact() != 1 {
		t.Fatalf("refused %+v", refused)
	}
	for i, want := range []string{"read the manual", "OK", "Hello"} {
		if got := b.String(b.Content[i]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
