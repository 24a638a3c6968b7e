package clickhouse_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/testkit"
)

// shared is one engine for the tests that do not kill it.
var shared *clickhouse.Server

const (
	user, password               = "coldstream", "s3cret & 'quoted'"
	analystUser, analystPassword = "analyst", "look only"
)

func TestMain(m *testing.M) {
	clickhouse.ChildMain()
	objectstore.ChildMain()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("COLDSTREAM_TEST_SANDBOX")+os.Getenv("COLDSTREAM_TEST_PARENT") != "" {
		return m.Run() // a process that one test starts
	}
	dir, err := os.MkdirTemp("", "coldstream-clickhouse")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared, err = clickhouse.Start(context(), config(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Close()
	return testkit.Run(m)
}
