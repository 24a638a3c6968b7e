package config

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML sets what a document says and notes each key's line. It goes on after a mistake, to report them all.
func (c *Config) readYAML(file string, doc []byte, lines map[string]int) Problems {
	root, problems := ParseYAML(file, doc)
	if problems != nil {
		return problems
	}
	r := &yamlReader{cfg: c, file: file, lines: lines}
	for _, body := range root.Content {
		r.node("", body)
	}
	return r.problems
}

// ParseYAML reads a document into nodes, which know their lines; file is its name in what is reported. An empty
// document has a root without content.
func ParseYAML(file string, doc []byte) (*yaml.Node, Problems) {
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return nil, Problems{{File: file, Line: errorLine(err), Key: "yaml", Text: err.Error()}}
	}
	return &root, nil
}

// errorLine finds the line in a message of the YAML library, which has it in its text alone.
func errorLine(err error) int {
	var line int
	if _, after, ok := strings.Cut(err.Error(), "line "); ok {
		if _, err := fmt.Sscanf(after, "%d", &line); err == nil {
			return line
		}
	}
	return 1
}

type yamlReader struct {
	cfg      *Config
	file     string
	lines    map[string]int
	problems Problems
}

func (r *yamlReader) problem(n *yaml.Node, path, format string, a ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: n.Line, Key: path, Text: fmt.Sprintf(format, a...)})
}

func (r *yamlReader) node(path string, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.member(path, n.Content[i], n.Content[i+1])
		}
	case n.Tag == "!!null":
	default:
		r.problem(n, cmp.Or(path, "yaml"), "a mapping of keys to values is wanted here; `coldstream config init` prints one to start from")
	}
}

func (r *yamlReader) member(path string, name, v *yaml.Node) {
	key := name.Value
	if path != "" {
		key = path + "." + key
	}
	known, group := findKey(key)
	switch {
	case known != nil:
		r.set(known, name, v)
	case group:
		r.node(key, v)
	default:
		r.problem(name, key, "unknown key%s", DidYouMean(key, paths()))
	}
}

func (r *yamlReader) set(k *Key, name, v *yaml.Node) {
	if _, twice := r.lines[k.Path]; twice {
		r.problem(name, k.Path, "stands twice")
		return
	}
	r.lines[k.Path] = name.Line
	text, ok := scalar(v)
	if !ok {
		r.problem(v, k.Path, "wants one value, such as %s", cmp.Or(k.Default, `"text"`))
		return
	}
	if err := k.set(r.cfg, text); err != nil {
		r.problem(v, k.Path, "%v", err)
	}
}

func scalar(n *yaml.Node) (string, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", true
		}
		return n.Value, true
	case yaml.SequenceNode:
		parts := make([]string, 0, len(n.Content))
		for _, v := range n.Content {
			s, ok := scalar(v)
			if !ok {
				return "", false
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, ","), true
	default:
		return "", false
	}
}

func findKey(path string) (key *Key, group bool) {
	for i := range Keys {
		if Keys[i].Path == path {
			return &Keys[i], false
		}
		group = group || strings.HasPrefix(Keys[i].Path, path+".")
	}
	return nil, group
}

func paths() []string {
	all := make([]string, len(Keys))
	for i := range Keys {
		all[i] = Keys[i].Path
	}
	return all
}

// DidYouMean is a hint such as "; did you mean email?" when a known name is at most three changes away, else empty.
func DidYouMean(name string, known []string) string {
	best, at := "", 4
	for _, k := range known {
		if d := distance(name, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// Write prints the configuration as YAML that Load reads; with docs, each key is explained.
func Write(w io.Writer, c *Config, docs, secrets bool) error {
	var open []string
	for _, k := range Keys {
		parts := strings.Split(k.Path, ".")
		groups, name := parts[:len(parts)-1], parts[len(parts)-1]
		same := 0
		for same < len(open) && same < len(groups) && open[same] == groups[same] {
			same++
		}
		for i := same; i < len(groups); i++ {
			if _, err := fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", i), groups[i]); err != nil {
				return err
			}
		}
		open = groups
		in := strings.Repeat("  ", len(groups))
		if docs {
			if _, err := fmt.Fprintf(w, "%s# %s (%s)\n", in, k.Doc, k.Env()); err != nil {
				return err
			}
		}
		v := k.Get(c)
		if k.Secret && !secrets && v != `""` {
			v = `"***"`
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s\n", in, name, v); err != nil {
			return err
		}
	}
	return nil
}
