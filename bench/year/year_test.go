package year_test

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestYear builds the table in the folder COLDSTREAM_YEAR, measures it, compacts a copy of it (whose files are the same on
// disk) and measures that. COLDSTREAM_YEAR_DAYS (365) and COLDSTREAM_YEAR_ROWS (200 events a window) make it smaller or
// larger. What is built and compacted stays. COLDSTREAM_YEAR_WORK ("4m") builds and compacts for that long and measures
// nothing; COLDSTREAM_YEAR_ASK names one of the states to measure: written, compacted.
func TestYear(t *testing.T) {
	dir := os.Getenv("COLDSTREAM_YEAR")
	if dir == "" {
		t.Skip("COLDSTREAM_YEAR names no folder: make bench-year")
	}
	days, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_DAYS"), "365"))
	require.NoError(t, err)
	rows, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_ROWS"), "200"))
	require.NoError(t, err)
	limit, err := time.ParseDuration(cmp.Or(os.Getenv("COLDSTREAM_YEAR_WORK"), "24h"))
	require.NoError(t, err)
	stop := time.Now().Add(limit)
	compacted := filepath.Join(dir, "compacted")
	if !build(t, dir, days, rows, stop) || !compactCopy(t, dir, compacted, days, stop) || os.Getenv("COLDSTREAM_YEAR_WORK") != "" {
		return
	}
	noon := first.AddDate(0, 0, days/2).Add(12 * time.Hour)
	ask := os.Getenv("COLDSTREAM_YEAR_ASK")
	if ask != "compacted" {
		a, end := serve(t, dir)
		measure(t, "as written", a, noon)
		end()
	}
	if ask != "written" {
		a, end := serve(t, compacted)
		measure(t, "compacted but for the last day", a, noon)
		measure(t, "the last day, not compacted, of the table that is", a, first.AddDate(0, 0, days-1).Add(12*time.Hour))
		end()
	}
}

// serve starts a store over the folder, until the function given is called.
func serve(t *testing.T, dir string) (a testkit.S3Access, end func()) {
	t.Helper()
	store, err := objectstore.StartChild(t.Context(), objectstore.Config{Dir: filepath.Join(dir, "s3"), AccessKey: "year", SecretKey: "year-secret"})
	require.NoError(t, err)
	end = func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() // it waits for them
		require.NoError(t, store.Close())
	}
	return testkit.S3Access{Endpoint: store.Addr(), AccessKey: "year", SecretKey: "year-secret", Region: "us-east-1", Bucket: bucket}, end
}
