package lint

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tree is a repository: its Go files parsed as far as their imports, and its text files whole.
type Tree struct {
	module string
	gos    []goFile
	texts  []textFile
	others []string        // folders of other modules, such as examples: their Go code has rules of its own
	known  map[string]bool // every file and folder, slash-separated and relative to the root; "" is the root
}

// Problem is one broken rule.
type Problem struct {
	Path string // slash-separated and relative to the root
	Line int    // from 1; 0 for a whole file or folder
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

type goFile struct {
	path, pkg  string // pkg as the package clause has it
	imports    []string
	hasComment bool // a comment stands at the package clause
	generated  bool
	lines      int
}

func (f goFile) dir() string  { return path.Dir(f.path) }
func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

type textFile struct {
	path  string
	lines []string
}

// maxText is the size in bytes above which a file is taken for data, whose text no rule reads.
const maxText = 1 << 20

// Load reads the repository at root, whose Go module is named module. Hidden files are read, .git, bin and
// testdata folders are not. An error names the file that could not be read or parsed.
func Load(root, module string) (*Tree, error) {
	t := &Tree{module: module, known: map[string]bool{"": true}}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil || rel == "." {
			return err
		}
		return t.add(filepath.ToSlash(rel), name, entry)
	})
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", root, err)
	}
	return t, nil
}

func (t *Tree) add(rel, name string, entry fs.DirEntry) error {
	if entry.IsDir() && (entry.Name() == ".git" || rel == "bin") {
		return filepath.SkipDir
	}
	if rel == ".git" { // of a linked worktree, a file that says where the repository is
		return nil
	}
	t.known[rel] = true
	if entry.IsDir() {
		if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
			t.others = append(t.others, rel)
		}
	}
	if strings.Contains("/"+rel, "/testdata/") || !entry.Type().IsRegular() {
		return nil
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > maxText {
		return nil
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !utf8.Valid(data) || strings.Contains(string(data[:min(len(data), 8000)]), "\x00") {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	t.texts = append(t.texts, textFile{path: rel, lines: lines})
	if strings.HasSuffix(rel, ".go") && !slices.ContainsFunc(t.others, func(dir string) bool { return under(rel, dir) }) {
		return t.addGo(rel, data, len(lines))
	}
	return nil
}

func (t *Tree) addGo(rel string, data []byte, lines int) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), rel, data, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	file := goFile{
		path: rel, pkg: parsed.Name.Name, lines: lines,
		hasComment: parsed.Doc != nil && strings.TrimSpace(parsed.Doc.Text()) != "",
		generated:  ast.IsGenerated(parsed),
	}
	for _, spec := range parsed.Imports {
		file.imports = append(file.imports, strings.Trim(spec.Path.Value, `"`))
	}
	t.gos = append(t.gos, file)
	return nil
}

// local gives the folder of an import of this module ("" for its root), and whether it is one.
func (t *Tree) local(importPath string) (string, bool) {
	if importPath == t.module {
		return "", true
	}
	return strings.CutPrefix(importPath, t.module+"/")
}
