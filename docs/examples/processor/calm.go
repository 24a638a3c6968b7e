// Package calm is an example of a processor of one's own: it writes messages that are SHOUTED in small letters, and
// refuses those that say nothing.
//
// It is a module of its own, as yours will be. `scripts/build-with.sh docs/examples/processor` builds a coldstream that
// has it, and a policy uses it so:
//
//	stages:
//	  - {name: calm, use: calm, with: {letters: 12}}
package calm

import (
	"bytes"
	"fmt"
	"unicode"

	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/schemas"
)

func init() { custom.Register("calm", New) }

// Calm is the processor. It depends on nothing but the event: no clock, no memory of others.
type Calm struct {
	Letters int `yaml:"letters"` // how many capitals in a text without small letters are a shout
}

// New reads the options; an error here is one of `coldstream config lint`.
func New(with custom.Options) (custom.Processor, error) {
	c := &Calm{Letters: 8}
	if err := with.Decode(c); err != nil {
		return nil, err
	}
	if c.Letters < 1 {
		return nil, fmt.Errorf("letters: %d: at least 1", c.Letters)
	}
	return c, nil
}

// Process works on the whole batch: a column is a slice, and row i is element i of every column.
func (c *Calm) Process(b *schemas.Batch) error {
	for i, text := range b.Content {
		if b.Fields[i].Has(schemas.FieldResolves) { // made from an event that was here before
			continue
		}
		content := b.Bytes(text) // not ours to change
		switch {
		case b.Type[i] == schemas.TypeCreated && b.Fields[i].Has(schemas.FieldContent) && len(bytes.TrimSpace(content)) == 0:
			b.Refuse(i, schemas.Refusef("empty", "a message that says nothing"))
		case c.shouts(content):
			b.Content[i] = b.AddText(bytes.ToLower(content))
		}
	}
	return nil
}

func (c *Calm) shouts(content []byte) bool {
	capitals := 0
	for _, r := range string(content) {
		switch {
		case unicode.IsLower(r):
			return false
		case unicode.IsUpper(r):
			capitals++
		}
	}
	return capitals >= c.Letters
}
