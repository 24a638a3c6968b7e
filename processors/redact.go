package processors

import (
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

// Redact replaces what an engine finds in the content of events, and counts it in the column Redactions, with what the
// policy keeps and only counts. It marks the events that the policy drops. Content without anything to redact stays
// where it is; a replacement is added to the batch's arena.
type Redact struct {
	engine *redact.Engine
	spans  []redact.Span
}

// NewRedact makes a processor of one partition. The engine may be shared.
func NewRedact(e *redact.Engine) *Redact { return &Redact{engine: e} }

// Process redacts the rows and sets the batch's policy.
func (r *Redact) Process(b *schemas.Batch) error {
	b.Policy = r.engine.Version()
	for i, t := range b.Content {
		if t.Len == 0 {
			continue
		}
		text := b.Bytes(t)
		if r.spans = r.engine.Find(r.spans[:0], text); len(r.spans) == 0 {
			continue
		}
		if r.engine.Drops(r.spans) {
			b.Drop(i)
			continue
		}
		b.Content[i] = b.Arena(func(dst []byte) []byte { return r.engine.Redact(dst, text, r.spans) })
		b.Redactions[i] = int32(len(r.spans))
	}
	return nil
}
