// Package cases runs a user's own tests of a policy: events in, and what becomes of each.
//
// [Load] reads a file of cases and its policy and says every mistake with its line; [File.Run] runs them. What a case finds
// is in its [Result], not an error. Nothing is reached but the policy's own keys.
package cases

import (
	"fmt"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/schemas"
)

// File is a file of cases.
type File struct {
	Policy string // its file, empty where the case file names none
	Cases  []Case
}

// Case is events, one after the other in one partition, and what is expected of each.
type Case struct {
	Name   string
	Line   int
	events [][]byte // documents
	expect []map[string]any
}

// Settings are what events are read with.
type Settings struct {
	Program *processors.Program
	Epoch   schemas.Epoch
	Opaque  bool  // every id is opaque
	Window  int64 // of dedup, in offsets; 0: none
}

// Load reads a file of cases. The error is of type config.Problems, unless the file cannot be read; doc is its content.
func Load(file string, doc []byte) (*File, error) {
	root, problems := config.ParseYAML(file, doc)
	if problems != nil {
		return nil, problems
	}
	l := &loader{Strict: &config.Strict{File: file, Root: "cases"}, file: &File{}}
	top := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	if len(root.Content) > 0 {
		top = root.Content[0]
	}
	l.Mapping("", top,
		config.StrictField{Name: "policy", Read: func(key string, v *yaml.Node) {
			if l.file.Policy = l.Text(key, v); l.file.Policy != "" && !filepath.IsAbs(l.file.Policy) {
				l.file.Policy = filepath.Join(filepath.Dir(file), l.file.Policy)
			}
		}},
		config.StrictField{Name: "cases", Read: l.cases})
	if len(l.file.Cases) == 0 && len(l.Problems) == 0 {
		l.Problem(top, "cases", "are missing, such as\n- {name: plain, events: {content: hello}, expect: {content: hello}}")
	}
	if len(l.Problems) > 0 {
		return nil, l.Sorted()
	}
	return l.file, nil
}

type loader struct {
	*config.Strict
	file *File
	n    int64 // events so far, for the ids of those that have none
}

func (l *loader) cases(key string, v *yaml.Node) {
	if v.Kind != yaml.SequenceNode {
		l.Problem(v, key, "a list is wanted here, of mappings with name, events and expect")
		return
	}
	for _, n := range v.Content {
		c := Case{Line: n.Line}
		before := len(l.Problems)
		l.Mapping(key, n,
			config.StrictField{Name: "name", Read: func(key string, v *yaml.Node) { c.Name = l.Text(key, v) }},
			config.StrictField{Name: "events", Read: func(key string, v *yaml.Node) { c.events = l.events(key, v) }},
			config.StrictField{Name: "expect", Read: func(key string, v *yaml.Node) { c.expect = l.expect(key, v) }})
		switch {
		case len(l.Problems) > before:
		case c.Name == "":
			l.Problem(n, key, "name is missing")
		case len(c.events) == 0 || len(c.events) != len(c.expect):
			l.Problem(n, key, "case %s: %d events and %d expectations: one is wanted for each", c.Name, len(c.events), len(c.expect))
		}
		l.file.Cases = append(l.file.Cases, c)
	}
}

// many is a list, or one thing that stands for a list of it.
func many(v *yaml.Node) []*yaml.Node {
	if v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return []*yaml.Node{v}
}

// events are mappings, as producers' documents, or texts: the documents as they are.
func (l *loader) events(key string, v *yaml.Node) [][]byte {
	var out [][]byte
	for _, n := range many(v) {
		l.n++
		switch n.Kind {
		case yaml.ScalarNode:
			out = append(out, []byte(n.Value))
		case yaml.MappingNode:
			doc, err := document(n, l.n)
			if err != nil {
				l.Problem(n, key, "%v", err)
			}
			out = append(out, doc)
		default:
			l.Problem(n, key, "an event is a mapping, or a text of its bytes")
		}
	}
	return out
}

func (l *loader) expect(key string, v *yaml.Node) []map[string]any {
	var out []map[string]any
	for _, n := range many(v) {
		want, ok := plain(n).(map[string]any)
		if !ok {
			l.Problem(n, key, "a mapping is wanted here, such as {content: hello} or {dropped: no-bots}")
		}
		for i := 0; ok && i+1 < len(n.Content); i += 2 {
			if name := n.Content[i].Value; !fieldNames[name] {
				l.Problem(n.Content[i], config.Join(key, name), "there is no such field%s", didYouMean(name))
			}
		}
		out = append(out, want)
	}
	return out
}

// String is the case's name and line.
func (c *Case) String() string { return fmt.Sprintf("%s (line %d)", c.Name, c.Line) }
