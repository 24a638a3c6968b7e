package lake_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// Keys of a role expire and are not ours to write down: a statement has those that are configured or none.
func TestStatementsWithoutConfiguredKeys(t *testing.T) {
	for key, want := range map[string]string{"": "IcebergS3('https://h/b/lake/events/')", "k": "IcebergS3('https://h/b/lake/events/', 'k', 's')"} {
		c := objects.Config{Endpoint: "https://h", Bucket: "b", AccessKey: key}
		if key != "" {
			c.SecretKey = "s"
		}
		store, err := objects.Open(c)
		require.NoError(t, err)
		require.Contains(t, lake.EngineDDL(lake.OpenEvents(store), lake.EngineOptions{Keys: true})[0], want)
	}
}
