package year_test

import (
	"cmp"
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

// TestYear builds the table in the folder COLDSTREAM_YEAR and measures it. COLDSTREAM_YEAR_DAYS (365) and
// COLDSTREAM_YEAR_ROWS (200 events a window) make it smaller or larger; COLDSTREAM_YEAR_BUILD ("4m") builds for that long
// and measures nothing.
func TestYear(t *testing.T) {
	dir := os.Getenv("COLDSTREAM_YEAR")
	if dir == "" {
		t.Skip("COLDSTREAM_YEAR names no folder: make bench-year")
	}
	days, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_DAYS"), "365"))
	require.NoError(t, err)
	rows, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_ROWS"), "200"))
	require.NoError(t, err)
	limit, err := time.ParseDuration(cmp.Or(os.Getenv("COLDSTREAM_YEAR_BUILD"), "24h"))
	require.NoError(t, err)
	if !build(t, dir, days, rows, time.Now().Add(limit)) || os.Getenv("COLDSTREAM_YEAR_BUILD") != "" {
		return
	}
	a := serve(t, dir)
	noon := first.AddDate(0, 0, days/2).Add(12 * time.Hour)
	measure(t, "as written", a, noon)
	compactDays(t, a, noon, min(days, compactedDays))
	measure(t, "compacted", a, noon)
}

// serve starts a store over the folder, for as long as the test lasts.
func serve(t *testing.T, dir string) testkit.S3Access {
	t.Helper()
	store, err := objectstore.StartChild(t.Context(), objectstore.Config{Dir: filepath.Join(dir, "s3"), AccessKey: "year", SecretKey: "year-secret"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return testkit.S3Access{Endpoint: store.Addr(), AccessKey: "year", SecretKey: "year-secret", Region: "us-east-1", Bucket: bucket}
}

// compactedDays is how many days around the one that is asked for are compacted: more would only take longer.
const compactedDays = 10
