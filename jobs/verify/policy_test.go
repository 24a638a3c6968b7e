package verify_test

import (
	"bytes"
	"testing"

	"github.com/coldstream/coldstream/jobs/verify"
	"github.com/coldstream/coldstream/schemas"
)

// chainOf does to each row what its function says.
type chainOf func(b *schemas.Batch, i int)

func (c chainOf) Process(b *schemas.Batch) error {
	for i := range b.Len() {
		c(b, i)
	}
	b.Compact()
	return nil
}

func dropsSecond(b *schemas.Batch, i int) {
	if b.String(b.Content[i]) == "second" {
		b.Drop(i)
	}
}

// What the policy drops must be in neither store, and what an earlier version did is known by the rows' own version, or
// by that policy.
func TestPoliciesThatDrop(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		ok     bool
	}{
		"it is in neither store": {func(w *world) {
			w.chain, w.rows, w.hot = chainOf(dropsSecond), []int{0, 2, 5, 6}, append(w.hot[:1], w.hot[2])
		}, true},
		"it is in the lake":          {func(w *world) { w.chain, w.hot = chainOf(dropsSecond), append(w.hot[:1], w.hot[2]) }, false},
		"it is in the hot store":     {func(w *world) { w.chain, w.rows = chainOf(dropsSecond), []int{0, 2, 5, 6} }, false},
		"the version before kept it": {func(w *world) { w.chain, w.policy = chainOf(dropsSecond), 2 }, true},
		"an earlier one may have it": {func(w *world) { w.earlier, w.policy = []verify.Redactor{chainOf(dropsSecond)}, 2 }, true},
		"an earlier one dropped it": {func(w *world) {
			w.earlier, w.policy, w.rows, w.hot = []verify.Redactor{chainOf(dropsSecond)}, 2, []int{0, 2, 5, 6}, append(w.hot[:1], w.hot[2])
		}, true},
		"nobody says why it is missing": {func(w *world) { w.policy, w.rows, w.hot = 2, []int{0, 2, 5, 6}, append(w.hot[:1], w.hot[2]) }, false},
		"a message from nowhere": {func(w *world) {
			w.policy, w.hot = 2, append(w.hot, verify.HotMessage{Key: verify.MessageKey{Channel: 9}, Policy: 1})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c.change(w)
			if r := w.verify(t); r.OK != c.ok {
				t.Fatalf("%+v", r)
			}
		})
	}
}

// A refused event is dead, a routed one that leaves is dropped, and a value that the policy sets is compared.
func TestWhatElseAChainDoes(t *testing.T) {
	w := newWorld()
	w.chain = chainOf(func(b *schemas.Batch, i int) {
		switch b.String(b.Content[i]) {
		case "second":
			b.Refuse(i, schemas.Refusef("no", "not this one"))
		case "third":
			b.Route(i, "elsewhere", true)
		}
	})
	w.rows = []int{0, 5, 6}
	w.hot = w.hot[:1]
	if r := w.verify(t); !r.OK || r.Topic.Dead != 3 || r.DroppedByPolicy != 1 || r.Topic.Events != 3 {
		t.Errorf("%+v", r)
	}
	w = newWorld()
	w.chain = chainOf(func(b *schemas.Batch, i int) { b.Extra[i] = b.AddText([]byte(`{"a":1}`)) })
	if r := w.verify(t); r.OK || r.Lake.Altered != 5 {
		t.Errorf("%+v", r)
	}
	w.policy = 2
	if r := w.verify(t); !r.OK {
		t.Errorf("%+v", r)
	}
}

// A repeat of an event that the policy dropped, sent again with another text that it lets through: dedup, which comes
// before the policy, drops the repeat too if the two stand near enough, and the hot pipeline, which has no dedup, keeps it.
func TestARepeatOfADroppedEvent(t *testing.T) {
	again := func(text string) func(w *world) {
		return func(w *world) {
			w.docs[3] = bytes.Replace(w.docs[3], []byte("second"), []byte(text), 1)
			w.hot[1].Content = verify.HashText(text)
		}
	}
	dropsZweite := chainOf(func(b *schemas.Batch, i int) {
		if b.String(b.Content[i]) == "zweite" {
			b.Drop(i)
		}
	})
	for name, c := range map[string]struct {
		change func(w *world)
		ok     bool
	}{
		"dedup took the repeat for one": {func(w *world) { w.chain, w.rows = chainOf(dropsSecond), []int{0, 2, 5, 6} }, true},
		"it stood too far away":         {func(w *world) { w.chain, w.rows, w.alter[3] = chainOf(dropsSecond), []int{0, 2, 3, 5, 6}, "zweite" }, true},
		"the dropped one is there":      {func(w *world) { w.chain = chainOf(dropsSecond) }, false},
		"a dropped repeat is no excuse": {func(w *world) { w.chain, w.rows = dropsZweite, []int{0, 2, 5, 6} }, false},
		"of an event that is there":     {func(w *world) { w.chain, w.hot[1].Content = dropsZweite, verify.HashText("second") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			again("zweite")(w)
			c.change(w)
			if r := w.verify(t); r.OK != c.ok || r.DroppedByPolicy != 1 {
				t.Fatalf("%+v", r)
			}
		})
	}
}
