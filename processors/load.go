package processors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/processors/redact"
)

// LoadOptions say how a policy file is read.
type LoadOptions struct {
	Lookup func(string) (string, bool) // os.LookupEnv
	// Adjust changes the policy and those of its overrides, as the configuration says; nil: nothing.
	Adjust func(p *redact.Policy)
}

// Load reads a policy file with its keys, and compiles its stages. The error is of type config.Problems, every mistake at
// once with its line, unless the file cannot be read. Keys are asked for here, once.
func Load(file string, opts LoadOptions) (*Program, error) {
	l := &loader{}
	f, err := redact.LoadFile(file, redact.LoadOptions{
		Lookup: opts.Lookup, Secret: kmsKey, Command: commandKey,
		Sections: []redact.Section{{Name: "stages", Read: l.stages}},
	})
	if err != nil {
		return nil, err
	}
	if opts.Adjust != nil {
		opts.Adjust(&f.Policy)
		for i := range f.Overrides {
			opts.Adjust(&f.Overrides[i].Policy)
		}
	}
	p, err := newProgram(f, l.plans)
	if err != nil { // what only shows when all is put together
		return nil, config.Problems{{File: file, Line: 1, Key: "policy", Text: err.Error()}}
	}
	return p, nil
}

// keyTimeout bounds how long a source may take to give a key.
const keyTimeout = 15 * time.Second

// kmsKey asks the source that a program of the user's has registered.
func kmsKey(ref string) ([]byte, error) {
	scheme, rest, ok := strings.Cut(ref, ":")
	if !ok {
		return nil, errors.New("write SCHEME:NAME, SCHEME being that of a source that this program has")
	}
	source := custom.Keys(scheme)
	if source == nil {
		return nil, fmt.Errorf("this program has no source of keys %q: build it with one (docs/processors.md), or name a command", scheme)
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
	defer cancel()
	return source.Key(ctx, rest)
}

// commandKey runs a command of the policy's and takes what it prints.
func commandKey(dir string, args []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("no answer in %v", keyTimeout)
	case err != nil:
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// loader takes the section stages apart.
type loader struct {
	plans []*stagePlan
	taken map[string]bool
}

func (l *loader) stages(r *config.Strict, key string, v *yaml.Node) {
	if v.Kind != yaml.SequenceNode {
		r.Problem(v, key, "a list is wanted here, such as\n- {name: no-bots, drop: event.user_name.startsWith('bot-')}\n- redact")
		return
	}
	l.taken = map[string]bool{StageUsers: true, StageDedup: true}
	for _, n := range v.Content {
		plan := &stagePlan{name: StageRedact, kind: kindRedact}
		if n.Kind == yaml.ScalarNode {
			if n.Value != StageRedact {
				r.Problem(n, key, "%q: redact, or a mapping with a name and one of filter, drop, set, route, use", n.Value)
				continue
			}
		} else {
			plan = l.stage(r, key, n)
		}
		if l.taken[plan.name] {
			r.Problem(n, key, "the name %s is taken", plan.name)
		}
		l.taken[plan.name] = true
		l.plans = append(l.plans, plan)
	}
}
