package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/cases"
	"github.com/coldstream/coldstream/processors/rules"
	"github.com/coldstream/coldstream/schemas"
)

// yamlBlocks are the page's examples, in order: stages, cases, fields.
func yamlBlocks(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page(t, "processors.md"), -1) {
		out = append(out, m[1])
	}
	require.Len(t, out, 3)
	return out
}

func loadPage(t *testing.T, policy string) *processors.Program {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(policy), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key-2"), []byte(strings.Repeat("2", 32)), 0o600))
	p, err := processors.Load(filepath.Join(dir, "policy.yaml"), processors.LoadOptions{
		Lookup: func(name string) (string, bool) { return strings.Repeat("1", 32), name == "COLDSTREAM_KEY_1" },
	})
	require.NoError(t, err)
	return p
}

// TestProcessorsCases runs the page's cases against the page's stages.
func TestProcessorsCases(t *testing.T) {
	blocks := yamlBlocks(t)
	p := loadPage(t, blocks[0])
	require.Equal(t, []string{"moderation", "payments", "reviews"}, p.Topics())
	f, err := cases.Load("cases.yaml", []byte(blocks[1]))
	require.NoError(t, err)
	results, err := f.Run(cases.Settings{Program: p, Epoch: schemas.DiscordEpoch, Window: 1 << 10})
	require.NoError(t, err)
	require.Len(t, results, 5)
	for _, r := range results {
		require.Empty(t, r.Diff, r.Name)
	}
}

// TestProcessorsFields holds the page's other policy to what the page says of it.
func TestProcessorsFields(t *testing.T) {
	c, err := loadPage(t, yamlBlocks(t)[2]).Chain(nil)
	require.NoError(t, err)
	b := &schemas.Batch{}
	public := schemas.HashRef("irc/public")
	for i, text := range []string{"bob@example.com from 203.0.113.9", "bob@example.com from 203.0.113.9", "bob@example.com from 203.0.113.9"} {
		b.Append(&schemas.Row{
			EventID: int64(i), Content: []byte(text), ChannelID: []int64{1, 1, schemas.OpaqueNumber(public)}[i], GuildID: []int64{1, 41771983423143937, 41771983423143937}[i],
			Fields: schemas.FieldChannel | schemas.FieldGuild | schemas.FieldUser, UserID: 42, UserName: []byte("Bob"), Time: []int64{0, 1_900_000_000_000_000, 0}[i],
			Extra: []byte(`{"note":"call ann@example.com","author":{"email":"ann@example.com"},"embeds":[{"text":"x"},{"text":"cat@example.com"}]}`),
		})
	}
	require.NoError(t, c.Process(b))
	for i, want := range []string{`^\[email:k1:\S+\] from 203\.0\.113\.9$`, `^\[email:k2:\S+\] from \[REDACTED:ip\]$`, `^bob@example\.com from 203\.0\.113\.9$`} {
		require.Regexp(t, want, b.String(b.Content[i]))
		require.Regexp(t, `^k[12]:[a-z2-7]{26}$`, b.String(b.UserRef[i]))
		require.Equal(t, schemas.OpaqueNumber(schemas.HashRef(b.String(b.UserRef[i]))), b.UserID[i])
		require.Empty(t, b.String(b.UserName[i]))
	}
	require.Regexp(t, `^\{"note":"call \[email:k1:\S+\]","author":\{"email":"\[field:k1:\S+\]"\},"embeds":\[\{"text":"x"\},\{"text":"\[email:k1:\S+\]"\}\]\}$`, b.String(b.Extra[0]))
}

// TestProcessorsNamesEveryVariable holds the page's table to the code.
func TestProcessorsNamesEveryVariable(t *testing.T) {
	text := page(t, "processors.md")
	for _, f := range rules.Fields {
		require.Contains(t, text, "`"+f.Name+"`")
	}
}

// TestExampleProcessor builds the example's module into a program, as a user does, and runs its tests and its cases there.
func TestExampleProcessor(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a whole program")
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	example := filepath.Join(root, "docs", "examples", "processor")
	workspace := filepath.Join(t.TempDir(), "go.work") // so that the example takes this tree's versions of everything
	run := func(dir, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK="+workspace)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
		return string(out)
	}
	program := filepath.Join(t.TempDir(), "coldstream")
	run(root, "scripts/build-with.sh", "-o", program, example)
	require.Contains(t, run(root, program, "config", "test", filepath.Join(example, "cases.yaml")), "3 cases, 0 failed")
	run(root, "go", "work", "init", root, example)
	run(example, "go", "vet", ".")
	run(example, "go", "test", ".")
}
