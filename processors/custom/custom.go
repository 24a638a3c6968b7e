// Package custom is where a program of yours adds processors of its own to Coldstream's chain, and sources of keys.
//
// The types to know are [Processor] and [Options]. Register a processor from an init function, name it in the policy by
// `use:`, and build Coldstream with your module: scripts/build-with.sh does that, and docs/processors.md shows an example.
// Register fails by a panic, at start, on a name that is empty, taken or one of Coldstream's own.
//
// The chain runs in both pipelines, in `verify` and in `replay`, and again after a rewind. So a processor must be a
// function of the event alone: no clock, no random numbers, nothing that it remembers of other events.
package custom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/schemas"
)

// Processor changes the events of a batch in place.
//
// It may write to the columns of a row (b.Content[i] = b.AddText(text); so that a content counts, set FieldContent too),
// drop rows with b.Drop and refuse them with b.Refuse: a refused event becomes a dead letter, and the others go on. It must
// not add rows, reorder or compact them, change ids, times or where a row came from, or keep the batch or its bytes.
//
// An error is the stage's, not an event's: nothing of the batch is stored, and it comes again, decoded anew, until Process
// succeeds. A panic is taken for one. Each partition has a processor of its own, called by one goroutine at a time.
//
// A row whose Fields have schemas.FieldResolves was completed by the resolver from one that the chain has seen already;
// leave it alone unless doing the work twice changes nothing.
type Processor interface {
	Process(b *schemas.Batch) error
}

// Factory makes a processor of one partition. It is called with the stage's options once when a policy is read, whose
// mistakes are those of `config lint`, and then for every partition.
type Factory func(with Options) (Processor, error)

// Options are what stands under `with:` in the policy.
type Options struct{ node *yaml.Node }

// NewOptions wraps a node of YAML; nil for no options.
func NewOptions(n *yaml.Node) Options { return Options{n} }

// Decode reads the options into a struct with yaml tags, over the defaults that it has. Unknown keys are errors.
func (o Options) Decode(into any) error {
	if o.node == nil {
		return nil
	}
	doc, err := yaml.Marshal(o.node)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(doc))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// KeySource is a keeper of keys, such as a key management service. Key gives the secret that a policy names by
// `kms: SCHEME:REF`; it is asked at start, with a deadline.
type KeySource interface {
	Key(ctx context.Context, ref string) ([]byte, error)
}

var (
	mu        sync.Mutex
	factories = map[string]Factory{}
	sources   = map[string]KeySource{}
)

// Register adds a processor under the name that policies use.
func Register(name string, f Factory) {
	mu.Lock()
	defer mu.Unlock()
	add(factories, "processor", name, f, f != nil)
}

// RegisterKeys adds a source of keys under a scheme.
func RegisterKeys(scheme string, s KeySource) {
	mu.Lock()
	defer mu.Unlock()
	add(sources, "source of keys", scheme, s, s != nil)
}

func add[T any](to map[string]T, what, name string, v T, ok bool) {
	if _, taken := to[name]; taken || name == "" || !ok {
		panic(fmt.Sprintf("custom: %s %q: a name that is not taken and something behind it are needed", what, name))
	}
	to[name] = v
}

// Lookup is the processor registered under a name, with all names there are for a message.
func Lookup(name string) (Factory, []string) {
	mu.Lock()
	defer mu.Unlock()
	return factories[name], slices.Sorted(maps.Keys(factories))
}

// Keys is the source registered under a scheme, nil if there is none.
func Keys(scheme string) KeySource {
	mu.Lock()
	defer mu.Unlock()
	return sources[scheme]
}
