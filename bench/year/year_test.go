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
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestYear builds the table in the folder COLDSTREAM_YEAR and measures it. COLDSTREAM_YEAR_DAYS (365) and
// COLDSTREAM_YEAR_ROWS (200 events a window) make it smaller or larger.
func TestYear(t *testing.T) {
	dir := os.Getenv("COLDSTREAM_YEAR")
	if dir == "" {
		t.Skip("COLDSTREAM_YEAR names no folder: make bench-year")
	}
	days, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_DAYS"), "365"))
	require.NoError(t, err)
	rows, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_YEAR_ROWS"), "200"))
	require.NoError(t, err)
	store, err := objectstore.StartChild(t.Context(), objectstore.Config{Dir: filepath.Join(dir, "s3"), AccessKey: "year", SecretKey: "year-secret"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	a := testkit.S3Access{Endpoint: store.Addr(), AccessKey: "year", SecretKey: "year-secret", Region: "us-east-1", Bucket: bucket}
	ensureBucket(t.Context(), t, a)
	build(t, dir, lakekit.Open(t, a, ""), days, rows)
	noon := first.AddDate(0, 0, days/2).Add(12 * time.Hour)
	measure(t, "as written", a, noon)
	compactDays(t, a, noon, min(days, compactedDays))
	measure(t, "compacted", a, noon)
}

// compactedDays is how many days around the one that is asked for are compacted: more would only take longer.
const compactedDays = 10
