package clickhouse_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJDBC runs testdata/jdbc/Jdbc.java: ClickHouse's JDBC driver, and the queries that Metabase, which uses it, is
// documented to send, as the owner and as who may only read. Metabase itself is untried. Without a JDK and Maven it is skipped; with them, not being able to
// fetch the driver is a failure.
func TestJDBC(t *testing.T) {
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("there is no " + tool + " on this machine")
		}
	}
	source, err := filepath.Abs(filepath.Join("testdata", "jdbc"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "java", "-cp", driver(t, source)+"/*", filepath.Join(source, "Jdbc.java"), shared.Addr(), user, password, analystUser, analystPassword)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "all of it works")
}

// driver returns the folder of the driver's jars, kept in the user's cache folder.
func driver(t *testing.T, source string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "coldstream", "test", "clickhouse-jdbc-0.10.0")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return dir
	}
	cmd := exec.CommandContext(t.Context(), "mvn", "-q", "-B", "-f", filepath.Join(source, "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "fetch the JDBC driver: %s", out)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o600))
	return dir
}
