package lake_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/coldstream/coldstream/lake"
)

// rewrite puts one file on the store for all that are live.
func (w *twin) rewrite(ctx context.Context, a *actor) error {
	v, err := a.table.Load(ctx)
	if err != nil {
		return err
	}
	if a.inputs, err = v.Files(ctx, lake.Filter{}); err != nil {
		return err
	}
	var rows int64
	for i := range a.inputs {
		rows += a.inputs[i].Rows
	}
	w.outputs++
	path := fmt.Sprintf("data/merged-%d.parquet", w.outputs)
	body := []byte("the rows of " + path)
	a.output = describe(path, body, day, rows)
	_, err = w.open.Store().Put(ctx, w.open.Key(path), body)
	return err
}

// swap begins a swap, or lets one go on that has lost a race.
func (w *twin) swap(a *actor) {
	if a.call == nil {
		a.next(func(ctx context.Context) error {
			_, err := a.table.Swap(ctx, lake.Swap{Remove: a.inputs, Add: []lake.DataFile{a.output}})
			return err
		})
		return
	}
	for range 5 { // the waits between its tries grow
		if a.gate.is() != "nothing" || a.call.ended() {
			return
		}
		w.pause()
	}
}

// abandoned expects a swap to end without a change: an input is gone, or the swap took place when nobody heard of it.
func (w *twin) abandoned(a *actor) {
	switch {
	case !a.call.ended():
		w.fail("the swap goes on, with %s", a.gate.is())
	case a.call.err != nil && !errors.Is(a.call.err, lake.ErrInputGone):
		w.fail("the swap ended with %v", a.call.err)
	}
	a.call = nil
}
