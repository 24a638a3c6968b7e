package clickhouse_test

import (
	"bufio"
	stdcontext "context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/stretchr/testify/require"
)

// start runs an engine of the test's own.
func start(t *testing.T, cfg clickhouse.Config) *clickhouse.Server {
	t.Helper()
	s, err := clickhouse.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestDataOutlivesClose(t *testing.T) {
	cfg := config(t.TempDir())
	s := start(t, cfg)
	must(t, s, "CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
	must(t, s, "INSERT INTO kept SELECT number FROM numbers(1000)")
	pid := s.PID()
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "again")
	require.NoError(t, s.Err(), "asked for")
	require.False(t, alive(pid))
	cfg.Addr = s.Addr()
	s = start(t, cfg)
	require.Equal(t, "1000\n", must(t, s, "SELECT count() FROM kept"))
}

func TestKilledInTheMiddleOfAnInsert(t *testing.T) {
	cfg := config(t.TempDir())
	s := start(t, cfg)
	must(t, s, "CREATE TABLE hit (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	must(t, s, "INSERT INTO hit SELECT number, 'x' FROM numbers(1000)")
	for range 3 {
		body := &drip{data: strings.Repeat("5\tsome more rows\n", 1<<20), step: 1 << 15}
		r := request(t, s, http.MethodPost, body, "query", "INSERT INTO hit FORMAT TSV")
		failed := make(chan error, 1)
		go func() { _, err := http.DefaultClient.Do(r); failed <- err }()
		require.Eventually(t, func() bool {
			return must(t, s, "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO h'||'it%'") == "1\n"
		}, 10*time.Second, time.Millisecond)
		require.NoError(t, syscall.Kill(s.PID(), syscall.SIGKILL))
		<-s.Done()
		require.ErrorContains(t, s.Err(), "killed")
		<-failed
		cfg.Addr = s.Addr() // the same port at once
		s = start(t, cfg)
		require.Equal(t, "1000\n", must(t, s, "SELECT countIf(s = 'x') FROM hit"))
		require.Equal(t, "1\n", must(t, s, "CHECK TABLE hit SETTINGS check_query_single_value_result = 1"))
	}
}

// TestParentKilled runs a parent (this test binary again), kills it with its engine busy, and starts anew on the folder.
func TestParentKilled(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestHelperParent$")
	parent.Env = append(os.Environ(), "COLDSTREAM_TEST_PARENT="+dir)
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var child struct {
		Addr string
		PID  int
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(line), &child))
	require.True(t, alive(child.PID))
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	cfg := config(dir)
	cfg.Addr = child.Addr
	s := start(t, cfg) // at once: the lock and the port are free as soon as the kernel has buried the child
	require.Eventually(t, func() bool { return !alive(child.PID) || zombie(child.PID) }, 5*time.Second, time.Millisecond)
	require.Equal(t, "1\n", must(t, s, "SELECT count() FROM of_the_dead"))
}

// zombie says whether the process has ended and only waits to be reaped by whoever has inherited it.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestHelperParent(t *testing.T) {
	dir := os.Getenv("COLDSTREAM_TEST_PARENT")
	if dir == "" {
		t.Skip("it is TestParentKilled's other process")
	}
	s := start(t, config(dir))
	must(t, s, "CREATE TABLE of_the_dead (a UInt64) ENGINE = MergeTree ORDER BY a")
	must(t, s, "INSERT INTO of_the_dead VALUES (1)")
	text, _ := json.Marshal(map[string]any{"Addr": s.Addr(), "PID": s.PID()})
	fmt.Println(string(text))
	must(t, s, "SELECT sleep(3) FROM numbers(100) SETTINGS max_block_size = 1")
}

func TestCloseStopsRunningQueries(t *testing.T) {
	s := start(t, config(t.TempDir()))
	code := make(chan string, 1)
	r := request(t, s, http.MethodPost, strings.NewReader("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(cityHash64(number))"))
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			code <- err.Error()
			return
		}
		resp.Body.Close()
		code <- resp.Header.Get("X-ClickHouse-Exception-Code")
	}()
	require.Eventually(t, func() bool {
		return must(t, s, "SELECT count() FROM system.processes WHERE query LIKE '%cityHash'||'64%'") == "1\n"
	}, 10*time.Second, time.Millisecond)
	started := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(started), 12*time.Second)
	require.Equal(t, "394", <-code)
}

func TestStartErrors(t *testing.T) {
	_, err := clickhouse.Start(t.Context(), clickhouse.Config{Dir: t.TempDir()})
	require.ErrorContains(t, err, "Addr is empty")
	require.ErrorContains(t, err, "Password is empty")

	cfg := config(t.TempDir())
	cfg.Library = filepath.Join(cfg.Dir, "none.so")
	_, err = clickhouse.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "none.so")

	cfg = config(t.TempDir())
	cfg.Addr = "192.0.2.1:1" // a documentation address: not this machine's
	_, err = clickhouse.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "192.0.2.1:1")

	ctx, cancel := stdcontext.WithCancel(t.Context())
	cancel()
	_, err = clickhouse.Start(ctx, config(t.TempDir()))
	require.ErrorIs(t, err, stdcontext.Canceled)
}

func TestBusyPort(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	cfg := config(t.TempDir())
	cfg.Addr = busy.Addr().String()
	_, err = clickhouse.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "address already in use")
}

func TestFindLibrary(t *testing.T) {
	found, err := clickhouse.FindLibrary()
	require.NoError(t, err)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(clickhouse.LibraryEnv, "")
	_, err = clickhouse.FindLibrary()
	require.ErrorIs(t, err, clickhouse.ErrNoLibrary)
	require.ErrorContains(t, err, clickhouse.LibraryEnv)
	t.Setenv(clickhouse.LibraryEnv, found)
	again, err := clickhouse.FindLibrary()
	require.NoError(t, err)
	require.Equal(t, found, again)
	t.Setenv(clickhouse.LibraryEnv, "/nowhere/libchdb.so")
	_, err = clickhouse.FindLibrary()
	require.ErrorIs(t, err, clickhouse.ErrNoLibrary)
}
