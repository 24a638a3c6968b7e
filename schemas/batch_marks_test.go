package schemas_test

import (
	"fmt"
	"testing"

	"github.com/coldstream/coldstream/schemas"
)

func routesOf(b *schemas.Batch, i int) string {
	out := ""
	b.Routes(i, func(topic string) { out += topic + " " })
	return fmt.Sprint(out, b.Leaves(i))
}

func TestRoutesStayWithTheirRows(t *testing.T) {
	b := &schemas.Batch{}
	for i := range 5 {
		b.Append(&schemas.Row{EventID: int64(i), Offset: int64(10 + i)})
	}
	b.Route(1, "a", false)
	b.Route(3, "b", true)
	b.Route(3, "a", false)
	b.Drop(0)
	b.Refuse(2, schemas.Refusef("test", "no"))
	if n := b.Compact(); n != 2 || b.Len() != 3 {
		t.Fatalf("%d dropped, %d left", n, b.Len())
	}
	for i, want := range []string{"a false", "a b true", "false"} {
		if got := routesOf(b, i); got != want {
			t.Errorf("row %d (event %d): %q, want %q", i, b.EventID[i], got, want)
		}
	}
	if r := b.Refused(); len(r) != 1 || r[0].Offset != 12 || r[0].Why.Code != "test" {
		t.Errorf("refused %+v", r)
	}
	b.Truncate(1)
	if got := routesOf(b, 0) + routesOf(b, 1); got != "a falsefalse" {
		t.Errorf("after Truncate %q", got)
	}
	b.Reset()
	if b.Routed() || len(b.Refused()) != 0 {
		t.Error("Reset keeps marks")
	}
}

func TestRouteSaysWhenThereAreTooManyTopics(t *testing.T) {
	b := &schemas.Batch{}
	b.Append(&schemas.Row{})
	for i := range schemas.MaxRoutes {
		if !b.Route(0, fmt.Sprint("t", i), false) {
			t.Fatalf("topic %d is refused", i)
		}
	}
	if b.Route(0, "one more", false) || !b.Route(0, "t62", false) || b.Leaves(0) {
		t.Error("the bound is not held")
	}
}
