package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
)

// TestConfigurationListsEveryKey holds the table of configuration.md to the keys that there are.
// COLDSTREAM_UPDATE=1 writes the table anew.
func TestConfigurationListsEveryKey(t *testing.T) {
	const name = "configuration.md"
	table := regexp.MustCompile(`(?s)\| key \|.*?\n\n`)
	text := page(t, name)
	if os.Getenv("COLDSTREAM_UPDATE") != "" {
		text = table.ReplaceAllLiteralString(text, keyTable())
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	listed := table.FindString(text)
	for line := range strings.Lines(keyTable()) {
		require.True(t, strings.Contains(listed, line), "configuration.md lacks this row; run COLDSTREAM_UPDATE=1 go test ./docs\n%s", line)
	}
	require.Equal(t, len(keyTable()), len(listed), "configuration.md has rows too many; run COLDSTREAM_UPDATE=1 go test ./docs")
}

func keyTable() string {
	var table strings.Builder
	table.WriteString("| key | default | what |\n|---|---|---|\n")
	for _, key := range config.Keys {
		value := "none"
		if key.Default != "" {
			value = "`" + key.Default + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", key.Path, value, strings.ReplaceAll(key.Doc, "|", `\|`))
	}
	table.WriteString("\n")
	return table.String()
}
