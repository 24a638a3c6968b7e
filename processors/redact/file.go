package redact

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// File is what a policy file says: the policy of most texts, and what one Engine
// does not know of: where other policies hold, which other fields of an event
// are redacted, and what becomes of its user.
type File struct {
	Policy
	// Overrides hold in some guilds or channels; a channel's goes before its
	// guild's.
	Overrides []Override
	// Fields are redacted beside the content.
	Fields []Field
	// Users says that the ids of users become pseudonyms.
	Users bool
	// Keys are all keys, by rising From; the first has none. Policy.Key is the
	// first. Where there is one key, there is no rotation.
	Keys []Key
}

// Override is a policy that holds in some guilds and channels, by their ids or
// opaque texts.
type Override struct {
	Guilds, Channels []string
	Policy           Policy
}

// Field is a field of an event, and what becomes of it.
type Field struct {
	// Name is user_name, channel_name, guild_name, or a path into the other
	// fields of the event; see package jsonpath.
	Name string
	// Scan looks for the policy's types in it, as in the content. Otherwise the
	// whole value meets Action.
	Scan   bool
	Action Action
}

// overrides reads the policies of some guilds and channels: each is the file's
// policy, with what it names changed.
func (r *policyReader) overrides(key string, v *yaml.Node) {
	if v == nil {
		return
	}
	if v.Kind != yaml.SequenceNode || len(v.Content) == 0 {
		r.problem(v, key, "a list is wanted here, of mappings with guilds or channels, and what is different there")
		return
	}
	taken := map[string]bool{}
	for _, n := range v.Content {
		r.override(key, n, taken)
	}
}

func (r *policyReader) override(key string, n *yaml.Node, taken map[string]bool) {
	var o Override
	sub := &policyReader{Strict: r.Strict, opts: r.opts, policy: r.policy, chosen: r.chosen}
	sub.policy.Detectors = slices.Clone(r.policy.Detectors)
	sub.policy.Allow = Allow{
		Domains: slices.Clone(r.policy.Allow.Domains), Networks: slices.Clone(r.policy.Allow.Networks), Literals: slices.Clone(r.policy.Allow.Literals),
	}
	before := len(r.Problems)
	place := func(list *[]string) func(string, *yaml.Node) {
		return func(key string, v *yaml.Node) {
			r.List(key, v, func(n *yaml.Node) {
				if taken[key+n.Value] {
					r.problem(n, key, "%s stands in two overrides", n.Value)
				}
				taken[key+n.Value] = true
				*list = append(*list, n.Value)
			})
		}
	}
	var types *yaml.Node
	r.Mapping(key, n,
		field{Name: "guilds", Read: place(&o.Guilds)},
		field{Name: "channels", Read: place(&o.Channels)},
		field{Name: "default", Read: func(key string, v *yaml.Node) {
			name := sub.action(key, v, true)
			for t := range sub.chosen {
				sub.chosen[t] = name
			}
		}},
		field{Name: "types", Read: func(_ string, v *yaml.Node) { types = v }},
		field{Name: "allow", Read: sub.allow},
		field{Name: "detectors", Read: sub.detectors})
	sub.types(key+".types", types)
	if r.hashed == nil {
		r.hashed = sub.hashed
	}
	if len(o.Guilds)+len(o.Channels) == 0 && len(r.Problems) == before {
		r.problem(n, key, "guilds or channels are missing: where it holds, such as guilds: [\"41771983423143937\"]")
	}
	if o.Policy = sub.policy; len(r.Problems) == before && (sub.hashed == nil || r.policy.Key.ID != "") {
		sub.try(n, key)
	}
	r.out.Overrides = append(r.out.Overrides, o)
}

// scan is what a field may have beside an action.
const scan = "scan"

// fields reads which other fields are redacted.
func (r *policyReader) fields(key string, v *yaml.Node) {
	if v.Kind != yaml.MappingNode {
		r.problem(v, key, "a mapping is wanted here, such as {user_name: hash, $.note: scan}")
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name, what := v.Content[i], v.Content[i+1]
		f := Field{Name: name.Value, Scan: what.Value == scan}
		if slices.ContainsFunc(r.out.Fields, func(o Field) bool { return o.Name == f.Name }) {
			r.problem(name, key, "%s stands twice", f.Name)
		}
		if !f.Scan {
			if what.Kind != yaml.ScalarNode || !slices.Contains(actionNames[:], what.Value) {
				r.problem(what, key, "%q for %s: scan looks for the policy's types in it; redact, mask, hash, keep or drop treat it as a whole", what.Value, f.Name)
				continue
			}
			f.Action, _ = ParseAction(what.Value)
			if f.Action == Hash {
				r.hashed = what
			}
		}
		r.out.Fields = append(r.out.Fields, f)
	}
}

// users reads what becomes of users' ids.
func (r *policyReader) users(key string, v *yaml.Node) {
	switch {
	case v.Kind == yaml.ScalarNode && v.Value == "pseudonym":
		r.out.Users, r.hashed = true, v
	case v.Kind == yaml.ScalarNode && v.Value == Keep.String():
	default:
		r.problem(v, key, "%q: keep, or pseudonym for a keyed one", v.Value)
	}
}
