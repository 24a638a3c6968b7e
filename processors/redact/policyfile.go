package redact

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
)

// LoadPolicy reads a policy from a YAML file, with the key that it names, and
// checks that New takes it. lookup is os.LookupEnv. The error is of type
// config.Problems, every mistake at once with its line, unless the file cannot
// be read. The folder docs has the format. What LoadFile reads beside the policy
// is not in it.
func LoadPolicy(file string, lookup func(string) (string, bool)) (Policy, error) {
	f, err := LoadFile(file, LoadOptions{Lookup: lookup})
	if err != nil {
		return Policy{}, err
	}
	return f.Policy, nil
}

// LoadOptions say where a file's keys are, and who reads its other sections.
type LoadOptions struct {
	Lookup func(string) (string, bool) // os.LookupEnv
	// Secret gives the secret of a key that the policy names by `kms: REF`; nil: there is no such source.
	Secret func(ref string) ([]byte, error)
	// Command runs a command in a folder and gives what it prints, for keys that
	// the policy names by `command: [PROGRAM, …]`; nil: none are run.
	Command func(dir string, args []string) ([]byte, error)
	// Sections are further keys of the file; read notes what is wrong with r.
	Sections []Section
}

// Section is a key of a policy file that this package does not know.
type Section struct {
	Name string
	Read func(r *config.Strict, key string, v *yaml.Node)
}

// LoadFile reads a whole policy file.
func LoadFile(file string, opts LoadOptions) (*File, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("redaction policy: %w", err)
	}
	root, problems := config.ParseYAML(file, doc)
	if problems != nil {
		return nil, problems
	}
	r := &policyReader{
		Strict: &config.Strict{File: file, Root: "policy"}, opts: opts, policy: Policy{Actions: map[Type]Action{}}, out: &File{},
	}
	top := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	if len(root.Content) > 0 {
		top = root.Content[0]
	}
	r.top(top)
	if len(r.Problems) == 0 {
		r.try(top, "policy")
	}
	if len(r.Problems) > 0 {
		return nil, r.Sorted()
	}
	r.out.Policy = r.policy
	return r.out, nil
}

// policyReader takes a document apart and goes on after a mistake.
type policyReader struct {
	*config.Strict
	opts   LoadOptions
	policy Policy
	out    *File
	chosen [typeCount]string // the action of each type by name, or off
	hashed *yaml.Node        // something that needs a key
}

type field = config.StrictField

func (r *policyReader) problem(n *yaml.Node, key, format string, a ...any) {
	r.Problem(n, key, "%s", strings.TrimPrefix(fmt.Sprintf(format, a...), "redact: "))
}

// try notes why New does not take the policy.
func (r *policyReader) try(n *yaml.Node, key string) {
	if _, err := New(r.policy); err != nil {
		r.problem(n, key, "%v", err)
	}
}

func (r *policyReader) top(n *yaml.Node) {
	var types, overrides *yaml.Node
	otherwise := Redact.String()
	fields := []field{
		{Name: "version", Read: r.version},
		{Name: "default", Read: func(key string, v *yaml.Node) { otherwise = r.action(key, v, true) }},
		{Name: "types", Read: func(_ string, v *yaml.Node) { types = v }},
		{Name: "allow", Read: r.allow},
		{Name: "detectors", Read: r.detectors},
		{Name: "fields", Read: r.fields},
		{Name: "users", Read: r.users},
		{Name: "key", Read: r.key},
		{Name: "keys", Read: r.keys},
		{Name: "overrides", Read: func(_ string, v *yaml.Node) { overrides = v }},
	}
	for _, s := range r.opts.Sections {
		fields = append(fields, field{Name: s.Name, Read: func(key string, v *yaml.Node) { s.Read(r.Strict, key, v) }})
	}
	r.Mapping("", n, fields...)
	if n.Kind == yaml.MappingNode && r.policy.Version == 0 && !r.Said("version") {
		r.problem(n, "version", "is missing: a number from 1, raised with every change of the policy")
	}
	for t := range r.chosen {
		r.chosen[t] = otherwise
	}
	r.types("types", types)
	r.overrides("overrides", overrides)
	if r.hashed != nil && r.policy.Key.ID == "" && !r.Said("key") && !r.Said("keys") {
		r.problem(r.hashed, "key", "is missing: pseudonyms need a key of at least %d bytes, such as\nkey: {id: k1, env: COLDSTREAM_REDACT_KEY}", minKey)
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

// types reads the action of each type over those chosen before; v may be nil.
func (r *policyReader) types(path string, v *yaml.Node) {
	if v != nil {
		fields := make([]field, typeCount)
		for t := range typeCount {
			fields[t] = field{Name: t.String(), Read: func(key string, v *yaml.Node) { r.chosen[t] = r.action(key, v, true) }}
		}
		r.Mapping(path, v, fields...)
	}
	r.policy.Off, r.policy.Actions = nil, map[Type]Action{}
	for t, name := range r.chosen {
		if name == "off" {
			r.policy.Off = append(r.policy.Off, Type(t))
			continue
		}
		if a, err := ParseAction(name); err == nil {
			r.policy.Actions[Type(t)] = a
		}
	}
}

func (r *policyReader) allow(key string, v *yaml.Node) {
	a := &r.policy.Allow
	r.Mapping(key, v,
		field{Name: "domains", Read: func(key string, v *yaml.Node) {
			r.List(key, v, func(n *yaml.Node) {
				if name := strings.TrimPrefix(n.Value, "*."); strings.ContainsAny(name, "@*/: ") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
					r.problem(n, key, "%q is no domain; write example.com, or *.example.com for those below it", n.Value)
				}
				a.Domains = append(a.Domains, n.Value)
			})
		}},
		field{Name: "networks", Read: func(key string, v *yaml.Node) {
			r.List(key, v, func(n *yaml.Node) { r.network(key, n) })
		}},
		field{Name: "literals", Read: func(key string, v *yaml.Node) {
			r.List(key, v, func(n *yaml.Node) { a.Literals = append(a.Literals, n.Value) })
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
	for _, d := range r.policy.Detectors {
		taken = append(taken, d.Name)
	}
	for _, n := range v.Content {
		d, before := Detector{}, len(r.Problems)
		set := func(p *string) func(string, *yaml.Node) {
			return func(key string, v *yaml.Node) { *p = r.Text(key, v) }
		}
		action := "redact"
		r.Mapping(key, n,
			field{Name: "name", Read: set(&d.Name)},
			field{Name: "action", Read: func(key string, v *yaml.Node) { action = r.action(key, v, false) }},
			field{Name: "literals", Read: func(key string, v *yaml.Node) {
				r.List(key, v, func(n *yaml.Node) { d.Literals = append(d.Literals, n.Value) })
			}},
			field{Name: "pattern", Read: set(&d.Pattern)},
			field{Name: "requires", Read: set(&d.Requires)})
		if a, err := ParseAction(action); err == nil {
			d.Action = a
		}
		if len(r.Problems) == before {
			if err := d.validate(taken); err != nil {
				r.problem(n, key, "%v", err)
			}
		}
		taken = append(taken, d.Name)
		r.policy.Detectors = append(r.policy.Detectors, d)
	}
}
