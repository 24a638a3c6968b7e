package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// Result is what a case showed.
type Result struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	OK   bool   `json:"ok"`
	Diff []Diff `json:"diff,omitempty"`
}

// Diff is one field that is not as expected. Got is nil where the field is not there.
type Diff struct {
	Event int    `json:"event"` // from 1
	Field string `json:"field"`
	Want  any    `json:"want"`
	Got   any    `json:"got"`
}

// Run runs every case, each in a partition of its own.
func (f *File) Run(s Settings) ([]Result, error) {
	var all []Result
	for i := range f.Cases {
		r, err := f.Cases[i].run(s)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", &f.Cases[i], err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (c *Case) run(s Settings) (Result, error) {
	r := Result{Name: c.Name, Line: c.Line}
	p := &partition{decoder: codec.JSON{Epoch: s.Epoch, OpaqueIDs: s.Opaque}, meter: &processors.Meter{}}
	if s.Window > 0 {
		d, err := processors.NewDedup(s.Window)
		if err != nil {
			return r, err
		}
		p.dedup = d.Measure(p.meter)
	}
	var err error
	if p.chain, err = s.Program.Chain(p.meter); err != nil {
		return r, err
	}
	for i, doc := range c.events {
		got, err := p.one(doc, int64(i))
		if err != nil {
			return r, fmt.Errorf("event %d: %w", i+1, err)
		}
		r.Diff = append(r.Diff, diff(i+1, c.expect[i], got)...)
	}
	r.OK = len(r.Diff) == 0
	return r, nil
}

// outcomes are fields that an event has only if something became of it: where one is not expected, it must not be there.
var outcomes = []string{"dropped", "dead", "routed", "leaves"}

// diff compares what is expected; other fields may be as they like, but for the outcomes.
func diff(event int, want, got map[string]any) []Diff {
	var out []Diff
	for _, field := range slices.Sorted(maps.Keys(want)) {
		g := got[field]
		ok := same(want[field], g)
		if text, isText := want[field].(string); field == "dead" && isText && g != nil {
			ok = strings.Contains(fmt.Sprint(g), text)
		}
		if text, isText := want[field].(string); field == "routed" && isText && g != nil {
			ok = same([]any{text}, g)
		}
		if !ok {
			out = append(out, Diff{event, field, want[field], g})
		}
	}
	for _, field := range outcomes {
		_, wanted := want[field]
		if g, ok := got[field]; ok && !wanted && !(field == "leaves" && want["routed"] != nil) {
			out = append(out, Diff{event, field, nil, g})
		}
	}
	return out
}

// partition runs events one by one.
type partition struct {
	decoder codec.JSON
	dedup   *processors.Dedup
	chain   *processors.Chain
	meter   *processors.Meter
}

// one gives what becomes of an event: its outcome, and its fields if it goes on.
func (p *partition) one(doc []byte, offset int64) (map[string]any, error) {
	b := schemas.GetBatch()
	defer b.Release()
	err := p.decoder.Decode(b, doc, codec.Origin{Offset: offset, Time: time.Now().UnixMicro()})
	var refused *schemas.Refusal
	switch {
	case errors.As(err, &refused):
		return map[string]any{"dead": "decode: " + refused.Error()}, nil
	case err != nil:
		return nil, err
	}
	before := p.meter.Stages()
	if p.dedup != nil {
		if err := p.dedup.Process(b); err != nil {
			return nil, err
		}
		b.Compact()
	}
	if err := p.chain.Process(b); err != nil {
		return nil, err
	}
	if r := b.Refused(); len(r) > 0 {
		return map[string]any{"dead": r[0].Stage + ": " + r[0].Why.Error()}, nil
	}
	if b.Len() == 0 {
		return map[string]any{"dropped": p.dropper(before)}, nil
	}
	return fields(b)
}

// dropper is the stage that has dropped something since.
func (p *partition) dropper(before []processors.StageStats) string {
	for i, s := range p.meter.Stages() {
		if i >= len(before) || s.Dropped > before[i].Dropped {
			return s.Stage
		}
	}
	return ""
}

// fields are those of a row that goes on.
func fields(b *schemas.Batch) (map[string]any, error) {
	e := b.Event(0)
	extra := e.Extra
	e.Extra = nil
	d := json.NewDecoder(bytes.NewReader(codec.AppendEvent(nil, &e)))
	d.UseNumber()
	got := map[string]any{}
	if err := d.Decode(&got); err != nil {
		return nil, err
	}
	if target, ok := got["target_message_id"]; ok {
		got["message_id"] = target
		delete(got, "target_message_id")
	}
	if len(extra) > 0 {
		d := json.NewDecoder(bytes.NewReader(extra))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			return nil, fmt.Errorf("extra: %w", err)
		}
		got["extra"] = m
	}
	if n := b.Redactions[0]; n > 0 {
		got["redactions"] = json.Number(fmt.Sprint(n))
	}
	var topics []any
	b.Routes(0, func(topic string) { topics = append(topics, topic) })
	if len(topics) > 0 {
		got["routed"] = topics
	}
	if b.Leaves(0) {
		got["leaves"] = true
	}
	return got, nil
}
