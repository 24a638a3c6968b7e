package testkit

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
)

// inMain tells that Main runs the tests. Without it a child of the test binary would run the tests again.
var inMain atomic.Bool

// Main is for TestMain: it serves as a child process where it was started as one, else runs the tests, stops the shared
// servers and exits with the tests' code.
func Main(m *testing.M) {
	objectstore.ChildMain()
	clickhouse.ChildMain()
	os.Exit(Run(m))
}

// Run is the part of Main that runs the tests, for a TestMain that has children of its own to think of.
func Run(m *testing.M) int {
	inMain.Store(true)
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		code = max(code, 1)
	}
	return code
}

// needMain fails a test of a package that has no TestMain for testkit.
func needMain(t testing.TB) {
	t.Helper()
	if !inMain.Load() {
		t.Fatal("testkit: this package needs `func TestMain(m *testing.M) { testkit.Main(m) }`")
	}
}
