package processors

import (
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

// Redact replaces what an engine finds in the content of events, and in the fields that the policy names, and counts it in
// the column Redactions, with what the policy keeps and only counts. It marks the events that the policy drops. Content
// without anything to redact stays where it is; a replacement is added to the batch's arena.
type Redact struct {
	policies *policies
	fields   *fields
	found    func(map[string]int64) // nil: nobody counts

	spans  []redact.Span
	text   []byte
	counts map[string]int64
	at     fieldRow
}

// NewRedact makes a processor of one partition. The engine may be shared.
func NewRedact(e *redact.Engine) *Redact {
	return &Redact{policies: &policies{engines: [][]*redact.Engine{{e}}}, fields: &fields{}}
}

// Process redacts the rows and sets the batch's policy.
func (r *Redact) Process(b *schemas.Batch) error {
	b.Policy = r.policies.engines[0][0].Version()
	for i, t := range b.Content {
		if t.Len == 0 && !r.fields.any() {
			continue
		}
		engine := r.policies.of(b, i)
		if t.Len > 0 && !r.content(b, i, engine) {
			continue
		}
		if r.fields.any() {
			r.others(b, i, engine)
		}
	}
	if len(r.counts) > 0 {
		r.found(r.counts)
		clear(r.counts)
	}
	return nil
}

// content redacts the content of a row; it reports false if the event is dropped.
func (r *Redact) content(b *schemas.Batch, i int, engine *redact.Engine) bool {
	text := b.Bytes(b.Content[i])
	if r.spans = engine.Find(r.spans[:0], text); len(r.spans) == 0 {
		return true
	}
	r.count(engine)
	if engine.Drops(r.spans) {
		b.Drop(i)
		return false
	}
	b.Content[i] = b.Arena(func(dst []byte) []byte { return engine.Redact(dst, text, r.spans) })
	b.Redactions[i] += int32(len(r.spans))
	return true
}

// count notes what the spans are of.
func (r *Redact) count(engine *redact.Engine) {
	if r.found == nil {
		return
	}
	if r.counts == nil {
		r.counts = map[string]int64{}
	}
	for _, s := range r.spans {
		r.counts[engine.TypeName(s.Type)]++
	}
}
