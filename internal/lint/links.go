package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#{1,6}\s+(.+?)\s*#*$`)
	code    = regexp.MustCompile("`[^`]*`")
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// Links finds links of Markdown files to files of the repository, or to headings in them, that do not exist.
// Links to other sites are not followed.
func (t *Tree) Links() []Problem {
	headings := map[string]map[string]bool{}
	for _, file := range t.texts {
		if isMarkdown(file.path) {
			headings[file.path] = slugs(file)
		}
	}
	var problems []Problem
	for _, file := range t.texts {
		if !isMarkdown(file.path) {
			continue
		}
		eachProse(file, func(number int, line string) {
			for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				if why := t.broken(file.path, match[1], headings); why != "" {
					problems = append(problems, Problem{Path: file.path, Line: number, Text: why})
				}
			}
		})
	}
	return problems
}

// broken says why the target of a link in the file from does not exist; "" when it does or is elsewhere.
func (t *Tree) broken(from, target string, headings map[string]map[string]bool) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	name, anchor, _ := strings.Cut(target, "#")
	file := from
	if name != "" {
		file = strings.TrimPrefix(path.Join(path.Dir(from), name), "./")
		if file == "." {
			file = ""
		}
	}
	if !t.known[file] {
		return fmt.Sprintf("the link to %s leads nowhere", target)
	}
	if anchor != "" && isMarkdown(file) && !headings[file][anchor] {
		return fmt.Sprintf("the link to %s: %s has no such heading", target, file)
	}
	return ""
}

// slugs gives the anchors of a file's headings, as code hosts make them.
func slugs(file textFile) map[string]bool {
	found := map[string]bool{}
	eachProse(file, func(_ int, line string) {
		match := heading.FindStringSubmatch(line)
		if match == nil {
			return
		}
		text := linked.ReplaceAllString(match[1], "$1")
		slug := strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(text), ""), " ", "-")
		unique := slug
		for n := 1; found[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", slug, n)
		}
		found[unique] = true
	})
	return found
}

// eachProse calls visit with the number, from 1, and the text of each line outside code fences.
func eachProse(file textFile, visit func(number int, line string)) {
	fenced := false
	for i, line := range file.lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			visit(i+1, line)
		}
	}
}

func isMarkdown(name string) bool { return strings.HasSuffix(name, ".md") }
