package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Strict takes a YAML document apart by the keys that it may have, and goes on after a mistake, to report them all.
type Strict struct {
	File     string // its name in what is reported
	Root     string // what the document is, such as "policy": the key of what is wrong with it as a whole
	Problems Problems
}

// StrictField is a key that a mapping may have, and what reads its value.
type StrictField struct {
	Name string
	Read func(key string, v *yaml.Node)
}

// Problem notes a mistake at a node.
func (s *Strict) Problem(n *yaml.Node, key, format string, a ...any) {
	s.Problems = append(s.Problems, Problem{File: s.File, Line: n.Line, Key: key, Text: fmt.Sprintf(format, a...)})
}

// Sorted are the problems in the order of their lines.
func (s *Strict) Sorted() Problems {
	slices.SortStableFunc(s.Problems, func(a, b Problem) int { return a.Line - b.Line })
	return s.Problems
}

// Mapping reads a mapping of known keys, in the order of fields; path is the mapping's own key, empty at the top.
func (s *Strict) Mapping(path string, n *yaml.Node, fields ...StrictField) {
	if n.Kind != yaml.MappingNode {
		s.Problem(n, cmp.Or(path, s.Root), "a mapping of keys to values is wanted here")
		return
	}
	values := map[string]*yaml.Node{}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(names, k.Value):
			s.Problem(k, Join(path, k.Value), "unknown key%s", DidYouMean(k.Value, names))
		case values[k.Value] != nil:
			s.Problem(k, Join(path, k.Value), "stands twice")
		default:
			values[k.Value] = v
		}
	}
	for _, f := range fields {
		if v := values[f.Name]; v != nil {
			f.Read(Join(path, f.Name), v)
		}
	}
}

// Join is the key of a member.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// List reads a list of texts.
func (s *Strict) List(key string, v *yaml.Node, each func(n *yaml.Node)) {
	if v.Kind != yaml.SequenceNode {
		s.Problem(v, key, "a list is wanted here, such as [%q, %q]", "one", "two")
		return
	}
	for _, n := range v.Content {
		if s.Text(key, n) != "" {
			each(n)
		}
	}
}

// Text reads one text that is not empty; it gives "" after a mistake.
func (s *Strict) Text(key string, v *yaml.Node) string {
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" || v.Value == "" {
		s.Problem(v, key, "a text is wanted here, and not an empty one")
		return ""
	}
	return v.Value
}

// Said reports whether something is wrong with a key or with what lies below it.
func (s *Strict) Said(key string) bool {
	return slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.Key == key || strings.HasPrefix(p.Key, key+".") })
}
