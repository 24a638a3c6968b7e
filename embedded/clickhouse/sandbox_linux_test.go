package clickhouse

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSandbox runs TestInsideSandbox in a process that entered the sandbox as the engine's does.
func TestSandbox(t *testing.T) {
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno != 0 {
		t.Skip("this kernel has no Landlock")
	}
	open, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer open.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer closed.Close()
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o644))
	value, err := json.Marshal(sandbox{Dir: dir, Library: "/nowhere", S3: "http://" + open.Addr().String()})
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestInsideSandbox$", "-test.v")
	cmd.Env = append(os.Environ(), "COLDSTREAM_TEST_SANDBOX="+strings.Join([]string{dir, outside, open.Addr().String(), closed.Addr().String()}, ","),
		"COLDSTREAM_TEST_SANDBOX_VALUE="+string(value), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestInsideSandbox")
}

func TestInsideSandbox(t *testing.T) {
	paths := strings.Split(os.Getenv("COLDSTREAM_TEST_SANDBOX"), ",")
	if len(paths) != 4 {
		t.Skip("it is TestSandbox's other process")
	}
	if state := "COLDSTREAM_TEST_SANDBOX_STATE"; os.Getenv(state) != entered {
		require.NoError(t, enterSandbox(state, os.Getenv("COLDSTREAM_TEST_SANDBOX_VALUE")))
		t.Fatal("enterSandbox returned")
	}
	dir, outside, open, closed := paths[0], paths[1], paths[2], paths[3]
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own"), []byte("x"), 0o600))
	require.NoError(t, os.Rename(filepath.Join(dir, "own"), filepath.Join(dir, "moved")))
	_, err := os.ReadFile("/proc/self/stat")
	require.NoError(t, err)
	for _, path := range []string{outside, "/etc/passwd"} {
		_, err = os.ReadFile(path)
		require.True(t, errors.Is(err, os.ErrPermission), "read %s: %v", path, err)
	}
	require.ErrorIs(t, os.WriteFile(outside+"2", nil, 0o600), os.ErrPermission)
	require.ErrorIs(t, os.Remove(outside), os.ErrPermission)
	require.Error(t, exec.Command("/bin/sh", "-c", "true").Run())
	c, err := net.Dial("tcp", open)
	require.NoError(t, err, "the object store's port")
	c.Close()
	if _, err = net.Dial("tcp", closed); !errors.Is(err, os.ErrPermission) {
		t.Logf("connecting elsewhere: %v (Landlock walls ports from Linux 6.7 on)", err)
	}
}
