package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
)

// The examples of how secured servers are reached are configurations without a mistake.
func TestExamplesOfSecuredServers(t *testing.T) {
	_, section, found := strings.Cut(page(t, "running.md"), "\n## Reaching secured servers\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(section, -1)
	require.Len(t, examples, 3)
	for _, e := range examples {
		file := filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(file, []byte(e[1]), 0o600))
		c, err := config.Load(file, func(string) (string, bool) { return "", false })
		require.NoError(t, err, e[1])
		require.Empty(t, c.Warnings())
	}
}
