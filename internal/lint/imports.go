package lint

import (
	"fmt"
	"strings"
)

// tiers is the direction of imports: a package may import what has a lower number. Folders of one number are siblings.
//
//	cmd → {embedded, jobs, serve} → {ingest, processors, sinks} → lake → schemas
var tiers = map[string]int{
	"cmd": 5, "bench": 5,
	"embedded": 4, "jobs": 4, "serve": 4,
	"ingest": 3, "processors": 3, "sinks": 3,
	"lake":    2,
	"schemas": 1,
	"docs":    0, // tests of what the pages say
	"infra":   0, // a test of the configuration: nobody imports it
}

// composed are packages whose purpose is to put their siblings together: one box of all embedded servers.
var composed = map[string]bool{"embedded/box": true}

// testkit is imported by tests alone and may itself import everything, since it starts the servers that tests run on.
const testkit = "internal/testkit"

// Imports finds imports against the direction of the tree, between siblings, and of the test kit outside tests.
// Below internal, packages build on one another and on schemas; only testkit looks up the tree.
// Tests are held to the direction too, with two exceptions: the test kit, and an external test
// (package x_test) may import any package to test x with.
func (t *Tree) Imports() []Problem {
	var problems []Problem
	for _, file := range t.gos {
		for _, imported := range file.imports {
			to, ok := t.local(imported)
			if !ok {
				continue
			}
			if why := refuse(file, to); why != "" {
				problems = append(problems, Problem{Path: file.path, Text: fmt.Sprintf("imports %s: %s", to, why)})
			}
		}
	}
	return problems
}

// refuse says why file may not import the folder to; "" when it may.
func refuse(file goFile, to string) string {
	from := file.dir()
	if file.isTest() && (strings.HasSuffix(file.pkg, "_test") || under(to, testkit)) || under(from, testkit) || from == to {
		return ""
	}
	if under(to, testkit) {
		return "the test kit is for tests"
	}
	if under(to, "internal") {
		return ""
	}
	if under(from, "internal") {
		if under(to, "schemas") {
			return ""
		}
		return "internal packages are below everything but schemas"
	}
	return refuseTier(from, to)
}

func refuseTier(from, to string) string {
	fromTop, toTop := top(from), top(to)
	fromTier, ok := tiers[fromTop]
	if !ok {
		return fmt.Sprintf("the folder %s has no place in the direction of imports", fromTop)
	}
	toTier, ok := tiers[toTop]
	if !ok {
		return fmt.Sprintf("the folder %s has no place in the direction of imports", toTop)
	}
	switch {
	case fromTop == toTop && (under(from, to) || under(to, from) || composed[from]):
		return "" // a parent and its own adapters or parts
	case fromTop == toTop:
		return "siblings meet through an interface of the consumer"
	case fromTier == toTier:
		return fmt.Sprintf("%s and %s are siblings: they meet through an interface of the consumer", fromTop, toTop)
	case fromTier < toTier:
		return fmt.Sprintf("%s is above %s", toTop, fromTop)
	}
	return ""
}

// under reports whether dir is folder or lies in it.
func under(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

func top(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	return first
}
