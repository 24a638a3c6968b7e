package testkit

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
)

var (
	planLine = regexp.MustCompile(`^(ReadFromMergeTree|LazilyReadFromMergeTree|ReadFromPreparedSource|IcebergStorage|Read type:|FINAL|Parts:|Granules:|Condition:|Name:|Min-Max$|Partition$|PrimaryKey$|Skip$|Limit \d|Sorting|Prefix sort|Aggregating)`)
	treeMark = regexp.MustCompile(`^[│├└─\s]*`)
	planID   = regexp.MustCompile(`-?\d{12,}`)
	planDB   = regexp.MustCompile(`ReadFromMergeTree \(\w+\.(\w+)\)`)
)

// Plan is how ClickHouse would answer a query, as far as it matters for speed and is the same each time: what is read, by
// which index, and how many parts and granules (of 256 rows) are left after each. Ids are N.
func Plan(t testing.TB, c *chhttp.Client, sql string) string {
	t.Helper()
	answer, err := c.Query(t.Context(), "EXPLAIN indexes = 1 "+sql+" FORMAT TSVRaw")
	if err != nil {
		t.Fatalf("plan of %s: %v", sql, err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(answer)) {
		mark := treeMark.FindString(line)
		text := strings.TrimSpace(line[len(mark):])
		if !planLine.MatchString(text) {
			continue
		}
		text = planDB.ReplaceAllString(planID.ReplaceAllString(text, "N"), "ReadFromMergeTree ($1)")
		out.WriteString(strings.Repeat(" ", min(len([]rune(mark)), 30)) + text + "\n")
	}
	return out.String()
}

// Golden compares text with a file under testdata; with COLDSTREAM_UPDATE=1 it writes the file instead.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("COLDSTREAM_UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a test's own file
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		a, b := strings.Split(string(want), "\n"), strings.Split(got, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("%s: line %d is\n%s\nwant\n%s\n\nIf this is better, run the test with COLDSTREAM_UPDATE=1. Everything:\n%s", path, i+1, b[i], a[i], got)
			}
		}
		t.Fatalf("%s has %d lines, want %d. If this is better, run the test with COLDSTREAM_UPDATE=1. Everything:\n%s", path, len(b), len(a), got)
	}
}
