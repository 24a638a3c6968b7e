package rest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
)

// A compaction's commit sets no property of the table, and a catalog has to take it all the same.
func TestSwapWithoutProperties(t *testing.T) {
	each(t, func(t *testing.T, k kind, _ *lakekit.Writer) {
		table := k.open(t, nil)
		v, err := table.Load(t.Context())
		require.NoError(t, err)
		files, err := v.Files(t.Context(), lake.Filter{})
		require.NoError(t, err)
		require.Len(t, files, 2)
		_, err = table.Swap(t.Context(), lake.Swap{Remove: files[:1]})
		require.NoError(t, err)
		require.EqualValues(t, 10, rows(t, k))
	})
}
