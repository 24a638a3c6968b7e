package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines is the length above which a file is split. Most have around 200.
const maxLines = 600

// Lengths finds Go files longer than maxLines, generated ones apart.
func (t *Tree) Lengths() []Problem {
	var problems []Problem
	for _, file := range t.gos {
		if file.lines > maxLines && !file.generated {
			problems = append(problems, Problem{Path: file.path, Text: fmt.Sprintf("%d lines: split it, %d is the most", file.lines, maxLines)})
		}
	}
	return problems
}

// PackageComments finds packages of which no file has a package comment. A folder that has only tests is a package too.
func (t *Tree) PackageComments() []Problem {
	commented := map[string]bool{}
	for _, file := range t.gos {
		commented[file.dir()] = commented[file.dir()] || file.hasComment
	}
	var problems []Problem
	for dir, ok := range commented {
		if !ok {
			problems = append(problems, Problem{Path: dir, Text: "the package has no package comment"})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return problems
}

// vague are names that say nothing of what is in a package or file.
var vague = []string{"util", "utils", "common", "helper", "helpers", "misc", "stuff", "manager"}

// private matches text that belongs to one machine or one network and means nothing in another checkout:
// folders of a user, and hosts of package registries. The pieces are joined so that this file does not match itself.
var private = regexp.MustCompile(`(?:^|[^\w.}~-])/(?:ro` + `ot|wo` + `rk|home/[a-z]\w*|Users/\w+)(?:/|\b)` +
	`|registry\.npm` + `js|proxy\.gol` + `ang|repo1?\.ma` + `ven|files\.python` + `hosted`)

// Names finds packages and files with vague names, and text that names a private path or host.
func (t *Tree) Names() []Problem {
	var problems []Problem
	for _, file := range t.gos {
		if slices.Contains(vague, strings.TrimSuffix(path.Base(file.path), ".go")) || slices.Contains(vague, strings.TrimSuffix(file.pkg, "_test")) {
			problems = append(problems, Problem{Path: file.path, Text: "a vague name: say what is in it"})
		}
	}
	for _, file := range t.texts {
		for i, line := range file.lines {
			if found := private.FindString(line); found != "" {
				problems = append(problems, Problem{Path: file.path, Line: i + 1, Text: fmt.Sprintf("%q belongs to one machine or network", strings.TrimSpace(found))})
			}
		}
	}
	return problems
}
