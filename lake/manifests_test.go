package lake_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
)

// manifests counts the manifests that are read through it.
type manifests struct{ n atomic.Int64 }

func (c *manifests) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".avro") && !strings.Contains(r.URL.Path, "/snap-") {
		c.n.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Files of many days come in every commit, as from a worker that reads a backlog, or late. Who plans one day must not read
// the others' manifests.
func TestMergedManifestsHoldFewDays(t *testing.T) {
	const days, commits = 12, 102
	b := newBed(t)
	for i := range int64(commits) {
		c := b.checkpoint(t, fmt.Sprintf("cp-%03d", i), i*10, i*10+10)
		c.Files = nil
		for d := range int32(days) {
			c.Files = append(c.Files, b.file(t, fmt.Sprintf("data/day=%s/cp-%03d.parquet", schemas.Day(day+d), i), day+d, 10))
		}
		must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 2*i, c)))
	}
	v := must[*lake.Version](t)(b.Load(t.Context()))
	if n := len(must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{}))); n != days*commits {
		t.Fatalf("%d files, want %d", n, days*commits)
	}
	list := must[[]lake.Manifest](t)(v.Manifests(t.Context()))
	if len(list) > 12 {
		t.Errorf("%d manifests after the merge", len(list))
	}
	for _, m := range list {
		if m.Files > days && m.LastDay-m.FirstDay >= days/2 {
			t.Errorf("a merged manifest of %d files spans days %d to %d", m.Files, m.FirstDay, m.LastDay)
		}
	}
	count := &manifests{}
	v = must[*lake.Version](t)(b.again(t, count).Load(t.Context()))
	from := time.UnixMicro(int64(day) * dayUs)
	if n := len(must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{From: from, To: from.AddDate(0, 0, 1)}))); n != commits {
		t.Errorf("%d files of the first day, want %d", n, commits)
	}
	if n := count.n.Load(); n > 3 { // its own, and those of the two commits since the merge
		t.Errorf("%d of %d manifests were read to plan one day of %d", n, len(list), days)
	}
}
