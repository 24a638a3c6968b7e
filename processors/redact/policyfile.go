package redact

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
)

// LoadPolicy reads a policy from a YAML file, with the key that it names, and
// checks that New takes it. lookup is os.LookupEnv. The error is of type
// config.Problems, every mistake at once with its line, unless the file cannot
// be read. The folder docs has the format.
func LoadPolicy(file string, lookup func(string) (string, bool)) (Policy, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return Policy{}, fmt.Errorf("redaction policy: %w", err)
	}
	root, problems := config.ParseYAML(file, doc)
	if problems != nil {
		return Policy{}, problems
	}
	r := &policyReader{file: file, lookup: lookup, policy: Policy{Actions: map[Type]Action{}}, otherwise: "redact"}
	top := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	if len(root.Content) > 0 {
		top = root.Content[0]
	}
	r.top(top)
	if len(r.problems) == 0 {
		if _, err := New(r.policy); err != nil {
			r.problem(top, "policy", "%v", err)
		}
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b config.Problem) int { return a.Line - b.Line })
		return Policy{}, r.problems
	}
	return r.policy, nil
}

// policyReader takes a document apart and goes on after a mistake.
type policyReader struct {
	file      string
	lookup    func(string) (string, bool)
	policy    Policy
	otherwise string // the action of types that are not named, or off
	hashed    *yaml.Node
	problems  config.Problems
}

func (r *policyReader) problem(n *yaml.Node, key, format string, a ...any) {
	text := strings.TrimPrefix(fmt.Sprintf(format, a...), "redact: ")
	r.problems = append(r.problems, config.Problem{File: r.file, Line: n.Line, Key: key, Text: text})
}

// field is a key that a mapping may have, and what reads its value.
type field struct {
	name string
	read func(key string, v *yaml.Node)
}

// mapping reads a mapping of known keys, in the order of fields.
func (r *policyReader) mapping(path string, n *yaml.Node, fields ...field) {
	if n.Kind != yaml.MappingNode {
		r.problem(n, path, "a mapping of keys to values is wanted here")
		return
	}
	values := map[string]*yaml.Node{}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(names, k.Value):
			r.problem(k, join(path, k.Value), "unknown key%s", config.DidYouMean(k.Value, names))
		case values[k.Value] != nil:
			r.problem(k, join(path, k.Value), "stands twice")
		default:
			values[k.Value] = v
		}
	}
	for _, f := range fields {
		if v := values[f.name]; v != nil {
			f.read(join(path, f.name), v)
		}
	}
}

func join(path, name string) string {
	if path == "" || path == "policy" {
		return name
	}
	return path + "." + name
}

func (r *policyReader) top(n *yaml.Node) {
	var types *yaml.Node
	r.mapping("policy", n,
		field{"version", r.version},
		field{"default", func(key string, v *yaml.Node) { r.otherwise = r.action(key, v, true) }},
		field{"types", func(_ string, v *yaml.Node) { types = v }},
		field{"allow", r.allow},
		field{"detectors", r.detectors},
		field{"key", r.key})
	if n.Kind == yaml.MappingNode && r.policy.Version == 0 && !slices.ContainsFunc(r.problems, func(p config.Problem) bool { return p.Key == "version" }) {
		r.problem(n, "version", "is missing: a number from 1, raised with every change of the policy")
	}
	r.types(types)
	if r.hashed != nil && r.policy.Key.ID == "" && !slices.ContainsFunc(r.problems, func(p config.Problem) bool { return strings.HasPrefix(p.Key, "key") }) {
		r.problem(r.hashed, "key", "is missing: the action hash needs a key of at least %d bytes, such as\nkey: {id: k1, env: COLDSTREAM_REDACT_KEY}", minKey)
	}
}

func (r *policyReader) version(key string, v *yaml.Node) {
	n, err := strconv.ParseUint(v.Value, 10, 31)
	if v.Kind != yaml.ScalarNode || v.Tag != "!!int" || err != nil || n == 0 {
		r.problem(v, key, "%q: a number from 1 to 2147483647, raised with every change of the policy", v.Value)
		return
	}
	r.policy.Version = uint32(n)
}

// action reads an action's name, or off where a type may be off.
func (r *policyReader) action(key string, v *yaml.Node, types bool) string {
	names := actionNames[:]
	if types {
		names = append(slices.Clone(names), "off")
	}
	name := v.Value
	if types && v.Kind == yaml.ScalarNode {
		switch name {
		case "false":
			name = "off"
		case "true", "on":
			name = "redact"
		}
	}
	if v.Kind != yaml.ScalarNode || !slices.Contains(names, name) {
		r.problem(v, key, "%q is no action; there are %s%s", name, strings.Join(names, ", "), config.DidYouMean(name, names))
		return "redact"
	}
	if name == "hash" {
		r.hashed = v
	}
	return name
}

// types reads the action of each type; v may be nil.
func (r *policyReader) types(v *yaml.Node) {
	chosen := [typeCount]string{}
	if v != nil {
		fields := make([]field, typeCount)
		for t := range typeCount {
			fields[t] = field{t.String(), func(key string, v *yaml.Node) { chosen[t] = r.action(key, v, true) }}
		}
		r.mapping("types", v, fields...)
	}
	for t, name := range chosen {
		if name == "" {
			name = r.otherwise
		}
		if name == "off" {
			r.policy.Off = append(r.policy.Off, Type(t))
			continue
		}
		if a, err := ParseAction(name); err == nil {
			r.policy.Actions[Type(t)] = a
		}
	}
}

// list reads a list of texts.
func (r *policyReader) list(key string, v *yaml.Node, each func(n *yaml.Node)) {
	if v.Kind != yaml.SequenceNode {
		r.problem(v, key, "a list is wanted here, such as [%q, %q]", "one", "two")
		return
	}
	for _, n := range v.Content {
		if r.text(key, n) != "" {
			each(n)
		}
	}
}

// text reads one text that is not empty; it gives "" after a mistake.
func (r *policyReader) text(key string, v *yaml.Node) string {
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" || v.Value == "" {
		r.problem(v, key, "a text is wanted here, and not an empty one")
		return ""
	}
	return v.Value
}

func (r *policyReader) allow(key string, v *yaml.Node) {
	a := &r.policy.Allow
	r.mapping(key, v,
		field{"domains", func(key string, v *yaml.Node) {
			r.list(key, v, func(n *yaml.Node) {
				if name := strings.TrimPrefix(n.Value, "*."); strings.ContainsAny(name, "@*/: ") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
					r.problem(n, key, "%q is no domain; write example.com, or *.example.com for those below it", n.Value)
				}
				a.Domains = append(a.Domains, n.Value)
			})
		}},
		field{"networks", func(key string, v *yaml.Node) {
			r.list(key, v, func(n *yaml.Node) { r.network(key, n) })
		}},
		field{"literals", func(key string, v *yaml.Node) {
			r.list(key, v, func(n *yaml.Node) { a.Literals = append(a.Literals, n.Value) })
		}})
}

func (r *policyReader) network(key string, n *yaml.Node) {
	p, err := netip.ParsePrefix(n.Value)
	if err != nil {
		addr, aerr := netip.ParseAddr(n.Value)
		if aerr != nil || addr.Zone() != "" {
			r.problem(n, key, "%q is no network; write 10.0.0.0/8, 2001:db8::/32 or one address", n.Value)
			return
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	r.policy.Allow.Networks = append(r.policy.Allow.Networks, p)
}

func (r *policyReader) detectors(key string, v *yaml.Node) {
	if v.Kind != yaml.SequenceNode {
		r.problem(v, key, "a list is wanted here, of mappings with name and literals or pattern")
		return
	}
	taken := slices.Clone(typeNames[:])
	for _, n := range v.Content {
		d, before := Detector{}, len(r.problems)
		set := func(p *string) func(string, *yaml.Node) {
			return func(key string, v *yaml.Node) { *p = r.text(key, v) }
		}
		action := "redact"
		r.mapping(key, n,
			field{"name", set(&d.Name)},
			field{"action", func(key string, v *yaml.Node) { action = r.action(key, v, false) }},
			field{"literals", func(key string, v *yaml.Node) {
				r.list(key, v, func(n *yaml.Node) { d.Literals = append(d.Literals, n.Value) })
			}},
			field{"pattern", set(&d.Pattern)},
			field{"requires", set(&d.Requires)})
		if a, err := ParseAction(action); err == nil {
			d.Action = a
		}
		if len(r.problems) == before {
			if err := d.validate(taken); err != nil {
				r.problem(n, key, "%v", err)
			}
		}
		taken = append(taken, d.Name)
		r.policy.Detectors = append(r.policy.Detectors, d)
	}
}

// key reads the key's id, and the secret from where it is.
func (r *policyReader) key(key string, v *yaml.Node) {
	var file, env *yaml.Node
	before := len(r.problems)
	r.mapping(key, v,
		field{"id", func(key string, v *yaml.Node) { r.policy.Key.ID = r.text(key, v) }},
		field{"file", func(key string, v *yaml.Node) { file = v; r.text(key, v) }},
		field{"env", func(key string, v *yaml.Node) { env = v; r.text(key, v) }})
	switch {
	case len(r.problems) > before:
		return
	case (file == nil) == (env == nil):
		r.problem(v, key, "either file or env is wanted, where the secret is; it does not stand in the policy itself")
		return
	case env != nil:
		secret, ok := r.lookup(env.Value)
		if !ok {
			r.problem(env, key, "the variable %s, which should hold the key, is not set", env.Value)
			return
		}
		r.policy.Key.Secret = []byte(secret)
	default:
		path := file.Value
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(r.file), path)
		}
		secret, err := os.ReadFile(path)
		if err != nil {
			r.problem(file, key, "the file that should hold the key: %v", err)
			return
		}
		r.policy.Key.Secret = bytes.TrimRight(secret, "\r\n")
	}
	if err := r.policy.Key.validate(); err != nil {
		r.problem(v, key, "%v", err)
	}
}
