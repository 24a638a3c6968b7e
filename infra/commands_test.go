package infra_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandsExist builds coldstream and asks it for the help of every command that docker-compose.yml gives it: the
// command must exist and know the flags.
func TestCommandsExist(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "coldstream")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/coldstream").CombinedOutput()
	require.NoError(t, err, "%s", built)
	asked := 0
	for name, service := range load(t).Services {
		if service.Build == nil {
			continue
		}
		asked++
		args := append([]string{service.Command[0]}, service.Command[1:]...)
		help, err := exec.CommandContext(t.Context(), binary, append(args, "--help")...).CombinedOutput()
		require.NoError(t, err, "%s: coldstream %v: %s", name, args, help)
		require.Contains(t, string(help), "coldstream "+service.Command[0], "%s: no such command", name)
		for _, arg := range service.Command[1:] {
			if strings.HasPrefix(arg, "--") {
				require.Contains(t, string(help), arg, "%s: coldstream %s has no such flag", name, service.Command[0])
			}
		}
	}
	require.NotZero(t, asked)
}

// TestDockerfileBuildsWhatIsThere holds the paths that the Dockerfile names to the tree that .dockerignore leaves.
func TestDockerfileBuildsWhatIsThere(t *testing.T) {
	ignore, err := os.ReadFile("../.dockerignore")
	require.NoError(t, err)
	kept := 0
	for line := range strings.Lines(string(ignore)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "!"); found {
			kept++
			_, err := os.Stat(filepath.Join("..", name))
			require.NoError(t, err, ".dockerignore keeps %s", name)
		}
	}
	require.NotZero(t, kept)
	imported, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../cmd/coldstream").Output()
	require.NoError(t, err)
	ours := 0
	for path := range strings.Lines(string(imported)) {
		name, found := strings.CutPrefix(path, "github.com/coldstream/coldstream/")
		if !found {
			continue
		}
		ours++
		folder, _, _ := strings.Cut(strings.TrimSpace(name), "/")
		require.Contains(t, string(ignore), "!"+folder+"\n", "the binary imports %s, which would be missing in the image", name)
	}
	require.NotZero(t, ours)
}
