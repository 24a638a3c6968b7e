package redact

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// key reads the only key.
func (r *policyReader) key(key string, v *yaml.Node) {
	if k, ok := r.oneKey(key, v, true); ok {
		r.policy.Key, r.out.Keys = k, []Key{k}
	}
}

// keys reads keys of which each holds from a time on: the event's own, so that
// every pipeline, and a replay years later, takes the same.
func (r *policyReader) keys(key string, v *yaml.Node) {
	switch {
	case r.policy.Key.ID != "":
		r.problem(v, key, "stands beside key; name the one there too")
		return
	case v.Kind != yaml.SequenceNode || len(v.Content) == 0:
		r.problem(v, key, "a list is wanted here, such as\n- {id: k1, env: KEY_1}\n- {id: k2, env: KEY_2, from: 2027-01-01T00:00:00Z}")
		return
	}
	for i, n := range v.Content {
		k, ok := r.oneKey(key, n, i == 0)
		if !ok {
			continue
		}
		switch last := len(r.out.Keys) - 1; {
		case last >= 0 && !k.From.After(r.out.Keys[last].From):
			r.problem(n, key, "key %s: from has to be later than that of the key before it", k.ID)
		case slices.ContainsFunc(r.out.Keys, func(o Key) bool { return o.ID == k.ID }):
			r.problem(n, key, "key %s: the id is taken; another key needs another, or its pseudonyms could not be told apart", k.ID)
		}
		r.out.Keys = append(r.out.Keys, k)
	}
	if len(r.out.Keys) > 0 {
		r.policy.Key = r.out.Keys[0]
	}
}

// source is where a key's secret is.
type source struct {
	node *yaml.Node
	read func() ([]byte, error)
}

// oneKey reads a key's id, and its secret from where that is. The first holds
// from the beginning.
func (r *policyReader) oneKey(key string, v *yaml.Node, first bool) (Key, bool) {
	var k Key
	var found []source
	before := len(r.Problems)
	from := func(read func(key string, v *yaml.Node) func() ([]byte, error)) func(string, *yaml.Node) {
		return func(key string, v *yaml.Node) { found = append(found, source{v, read(key, v)}) }
	}
	r.Mapping(key, v,
		field{Name: "id", Read: func(key string, v *yaml.Node) { k.ID = r.Text(key, v) }},
		field{Name: "file", Read: from(r.keyFile)},
		field{Name: "env", Read: from(r.keyEnv)},
		field{Name: "command", Read: from(r.keyCommand)},
		field{Name: "kms", Read: from(r.keyKMS)},
		field{Name: "from", Read: func(key string, v *yaml.Node) {
			t, err := time.Parse(time.RFC3339, r.Text(key, v))
			if err != nil || first {
				r.problem(v, key, "%q: the time from which it holds, such as 2027-01-01T00:00:00Z; the first key has none", v.Value)
			}
			k.From = t.UTC()
		}})
	switch {
	case len(r.Problems) > before:
		return k, false
	case len(found) != 1:
		r.problem(v, key, "either file, env, command or kms is wanted, where the secret is; it does not stand in the policy itself")
		return k, false
	case !first && k.From.IsZero():
		r.problem(v, key, "key %s: from is missing, the time of the first event that it is for", k.ID)
		return k, false
	}
	secret, err := found[0].read()
	if err != nil {
		r.problem(found[0].node, key, "%v", err)
		return k, false
	}
	k.Secret = secret
	if err := k.validate(); err != nil {
		r.problem(v, key, "%v", err)
		return k, false
	}
	return k, true
}

func (r *policyReader) keyEnv(key string, v *yaml.Node) func() ([]byte, error) {
	name := r.Text(key, v)
	return func() ([]byte, error) {
		secret, ok := r.opts.Lookup(name)
		if !ok {
			return nil, fmt.Errorf("the variable %s, which should hold the key, is not set", name)
		}
		return []byte(secret), nil
	}
}

func (r *policyReader) keyFile(key string, v *yaml.Node) func() ([]byte, error) {
	path := r.Text(key, v)
	return func() ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(r.File), path)
		}
		secret, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the file that should hold the key: %w", err)
		}
		return bytes.TrimRight(secret, "\r\n"), nil
	}
}

// keyCommand is for every keeper of secrets that has a command line.
func (r *policyReader) keyCommand(key string, v *yaml.Node) func() ([]byte, error) {
	var args []string
	r.List(key, v, func(n *yaml.Node) { args = append(args, n.Value) })
	return func() ([]byte, error) {
		if len(args) == 0 {
			return nil, errors.New("the command that should print the key is empty")
		}
		if r.opts.Command == nil {
			return nil, fmt.Errorf("the command %s, which should print the key: commands are not run here", args[0])
		}
		secret, err := r.opts.Command(filepath.Dir(r.File), args)
		if err != nil {
			return nil, fmt.Errorf("the command %s, which should print the key: %w", args[0], err)
		}
		return bytes.TrimRight(secret, "\r\n"), nil
	}
}

func (r *policyReader) keyKMS(key string, v *yaml.Node) func() ([]byte, error) {
	ref := r.Text(key, v)
	return func() ([]byte, error) {
		if r.opts.Secret == nil {
			return nil, fmt.Errorf("the key %s: this program has no source of keys", ref)
		}
		secret, err := r.opts.Secret(ref)
		if err != nil {
			return nil, fmt.Errorf("the key %s: %w", ref, err)
		}
		return secret, nil
	}
}
