package clickhouse_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// clickhouseConnect is the Python client's release that is tried.
const clickhouseConnect = "clickhouse-connect==1.12.0"

// TestClickhouseConnect runs testdata/connect.py. Without python3 it is skipped; with it, not being able to install the
// client is a failure: a test that quietly does not run proves nothing.
func TestClickhouseConnect(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 on this machine")
	}
	cmd := exec.CommandContext(t.Context(), venv(t, python), filepath.Join("testdata", "connect.py"), shared.Addr(), user, password)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "all of it works")
}

// venv returns the python of a virtual environment with the client, kept in the user's cache folder.
func venv(t *testing.T, python string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "coldstream", "test", clickhouseConnect)
	inside := filepath.Join(dir, "bin", "python")
	if exec.Command(inside, "-c", "import clickhouse_connect").Run() == nil {
		return inside
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	out, err := exec.CommandContext(t.Context(), python, "-m", "venv", "--clear", dir).CombinedOutput()
	require.NoError(t, err, "make a virtual environment: %s", out)
	out, err = exec.CommandContext(t.Context(), inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", clickhouseConnect).CombinedOutput()
	require.NoError(t, err, "install %s: %s", clickhouseConnect, out)
	return inside
}
