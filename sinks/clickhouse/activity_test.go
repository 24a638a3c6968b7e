package clickhouse_test

import (
	"testing"
)

// TestARetryNotesTheHoursAgain: an attempt that fails after the rows stand, and before the hours that they touch are noted,
// is repeated under the same token; the rows are not written twice, and the hours are noted.
func TestARetryNotesTheHoursAgain(t *testing.T) {
	h := newHot(t, nil, nil)
	settings := map[string]string{
		"async_insert": "0", "insert_deduplication_token": "t", "optimize_on_insert": "0", "deduplicate_blocks_in_dependent_materialized_views": "1",
	}
	insert := func() error {
		return h.client.Insert(t.Context(), "INSERT INTO state (channel_id, inv) FORMAT Values", []byte("(5, -1000)"), settings)
	}
	h.exec("ALTER TABLE activity_touched ADD CONSTRAINT broken CHECK channel_id != 5")
	if err := insert(); err == nil {
		t.Fatal("the notes were written")
	}
	h.exec("ALTER TABLE activity_touched DROP CONSTRAINT broken")
	for range 2 {
		if err := insert(); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.query("SELECT (SELECT count() FROM state), (SELECT count() FROM activity_touched FINAL)"); got != "1\t1\n" {
		t.Errorf("rows and notes: %q", got)
	}
}
