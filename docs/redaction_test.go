package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/processors/redact"
)

// TestRedactionNamesEveryTypeAndAction holds the tables of redaction.md to the code.
func TestRedactionNamesEveryTypeAndAction(t *testing.T) {
	text := page(t, "redaction.md")
	for _, typ := range redact.Types() {
		require.Contains(t, text, "\n| `"+typ.String()+"` |")
	}
	for a := redact.Redact; a <= redact.Drop; a++ {
		require.Contains(t, text, "\n| `"+a.String()+"` |")
	}
}

// TestRedactionsPolicyIsOne loads the page's policy and holds it to what the page says becomes of values.
func TestRedactionsPolicyIsOne(t *testing.T) {
	policy := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(page(t, "redaction.md"))
	require.Len(t, policy, 2)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(policy[1]), 0o600))
	p, err := redact.LoadPolicy(file, func(name string) (string, bool) {
		return "0123456789abcdef0123456789abcdef", name == "COLDSTREAM_REDACT_KEY"
	})
	require.NoError(t, err)
	e, err := redact.New(p)
	require.NoError(t, err)
	for text, want := range map[string]string{
		"bob@example.com, 4111 1111 1111 1111": "[email:k1:6okpm22szqbc64gkx6ivevmhhi], [credit_card:****1111]",
		"bob@example.org, bob@a.corp.example":  "bob@example.org, bob@a.corp.example",
		"bob@example.org.evil.net badge #1234": "[email:k1:4boii6ng5qvv4m7sfkwiocqrwu] badge #[REDACTED:badge]",
		"from 203.0.113.9":                     "from 203.0.113.9",
	} {
		require.Equal(t, want, string(e.Redact(nil, []byte(text), e.Find(nil, []byte(text)))))
	}
	require.True(t, e.Drops(e.Find(nil, []byte("Operation Sunrise"))))
}
