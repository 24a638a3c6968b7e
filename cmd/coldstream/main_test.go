package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

// kitRunner runs the tests with testkit's servers below testscript's commands.
type kitRunner struct{ m *testing.M }

func (k kitRunner) Run() int { return testkit.Run(k.m) }

func TestMain(m *testing.M) {
	objectstore.ChildMain()
	clickhouse.ChildMain()
	testscript.Main(kitRunner{m}, map[string]func(){"coldstream": main})
}

// The scripts in testdata/script are what a person types, and what they see.
func TestScripts(t *testing.T) {
	library, err := clickhouse.FindLibrary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("COLDSTREAM_LIBCHDB", library)
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "share"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": cmdReady, "publish": cmdPublish, "rows": cmdRows, "gone": cmdGone, "exits": cmdExits, "removefile": cmdRemoveFile, "losemetadata": cmdLoseMetadata,
		},
	})
}

// patience bounds every wait of a script; machines are shared.
const patience = 2 * time.Minute

func eventually(ts *testscript.TestScript, what string, f func() error) {
	end := time.Now().Add(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond) // between two looks at another process
	}
}

func readReady(ts *testscript.TestScript, dir string) (*config.Ready, error) {
	return config.ReadReady(ts.MkAbs(dir))
}

// ready DIR waits until a system runs from DIR, and keeps where it answers in DIR.json beside it.
func cmdReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready DIR")
	}
	eventually(ts, "ready", func() error {
		r, err := readReady(ts, args[0])
		if err != nil {
			return err
		}
		doc, err := json.Marshal(r)
		ts.Check(err)
		return os.WriteFile(ts.MkAbs(args[0])+".json", doc, 0o600)
	})
}

// publish DIR DOCUMENT sends one record to the events topic, as any client of Kafka would.
func cmdPublish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish DIR DOCUMENT")
	}
	r, err := readReady(ts, args[0])
	ts.Check(err)
	ts.Check(publishRaw(r.Kafka.Addr, "events", args[1]))
}

// rows DIR N QUERY waits until a query's only value is N.
func cmdRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: rows DIR N QUERY")
	}
	eventually(ts, args[2], func() error {
		cmd := exec.Command("coldstream", "sql", "--data", ts.MkAbs(args[0]), "--format", "TSV", args[2])
		cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != args[1] {
			return fmt.Errorf("got %q, want %s (%w)", got, args[1], errOr(err))
		}
		return nil
	})
}

func errOr(err error) error {
	if err == nil {
		return fmt.Errorf("no error")
	}
	return err
}

// gone DIR waits until nothing answers where the system of the last `ready DIR` did: no child outlived it.
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone DIR")
	}
	doc, err := os.ReadFile(ts.MkAbs(args[0]) + ".json")
	ts.Check(err)
	var r config.Ready
	ts.Check(json.Unmarshal(doc, &r))
	for _, addr := range []string{r.Kafka.Addr, r.S3.Addr, r.ClickHouse.Addr, r.HTTP.Addr} {
		eventually(ts, "gone", func() error {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return nil
			}
			_ = c.Close()
			return fmt.Errorf("%s still answers", addr)
		})
	}
}

// exits CODE COMMAND… runs a command and compares the code that it ends with. Its output is for stdout and stderr.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
}

// removefile DIR deletes one data file of the lake below DIR, behind everyone's back.
func cmdRemoveFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: removefile DIR")
	}
	done := errors.New("one is enough")
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") && strings.Contains(path, "/data/") {
			ts.Check(os.Remove(path))
			return done
		}
		return err
	})
	if !errors.Is(err, done) {
		ts.Fatalf("no data file below %s: %v", args[0], err)
	}
}
