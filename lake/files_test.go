package lake_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/lake"
)

func TestFilesOfANewTable(t *testing.T) {
	b := emptyBed(t)
	v := must[*lake.Version](t)(b.Create(t.Context()))
	if files := must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{})); len(files) != 0 {
		t.Errorf("%d files", len(files))
	}
}

func TestFilesAreWhatWasCommitted(t *testing.T) {
	b := newBed(t)
	c := b.checkpoint(t, "a", 0, 10)
	c.Files[0].Stats[0].Nulls, c.Files[0].Stats[0].Bytes = 3, 77
	must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 0, c)))
	files := live(t, b.again(t, nil))
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	f, want := files[0], c.Files[0]
	if f.Path != want.Path || f.URI != b.Location()+"/"+want.Path || f.Size != want.Size || f.Rows != 10 || f.Day != day {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if fmt.Sprint(f.Stats) != fmt.Sprint(want.Stats) {
		t.Errorf("stats %+v, want %+v", f.Stats, want.Stats)
	}
	low, high, ok := f.EventTimes()
	if !ok || low != time.UnixMicro(int64(day)*dayUs).UTC() || high != low.Add(time.Second) {
		t.Errorf("event times %v to %v, %v", low, high, ok)
	}
}

// TestFilterByTime uses files whose rows lie in the first second of a day, also before 1970.
func TestFilterByTime(t *testing.T) {
	b := newBed(t)
	com := b.committer(b.Table)
	for i, d := range []int32{-2, -1, 0, day} {
		c := b.checkpoint(t, fmt.Sprint("d", d), int64(i), int64(i+1))
		c.Files[0] = b.file(t, c.Files[0].Path, d, 1)
		must[lake.Committed](t)(com.Commit(t.Context(), records(t, int64(i), c)))
	}
	at := func(d int32, plus time.Duration) time.Time { return time.UnixMicro(int64(d) * dayUs).Add(plus) }
	v := must[*lake.Version](t)(b.Load(t.Context()))
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     string
	}{
		{"all", time.Time{}, time.Time{}, "d-2 d-1 d0 d20000"},
		{"one day", at(-1, 0), at(0, 0), "d-1"},
		{"To is exclusive", time.Time{}, at(-1, 0), "d-2"},
		{"To just after", time.Time{}, at(-1, time.Microsecond), "d-2 d-1"},
		{"From is inclusive", at(0, time.Second), time.Time{}, "d0 d20000"},
		{"From after the last row of the day", at(0, time.Second+time.Microsecond), time.Time{}, "d20000"},
		{"between", at(1, 0), at(2, 0), ""},
	} {
		var got []string
		for _, f := range must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{From: c.from, To: c.to})) {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(f.Path, "data/"), ".parquet"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// counter counts requests by method and folder.
type counter struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	folder := "metadata"
	if strings.Contains(r.URL.Path, "/data/") {
		folder = "data"
	}
	c.mu.Lock()
	c.seen[r.Method+" "+folder]++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// TestCommitReadsNoDataFile holds what a commit costs, also in a table that has files already: it looks whether its own
// files are there, reads none, and reads no manifest.
func TestCommitReadsNoDataFile(t *testing.T) {
	b := newBed(t)
	b.commits(t, b.Table, 0, 20)
	count := &counter{seen: map[string]int{}}
	tab := b.again(t, count)
	must[*lake.Version](t)(tab.Load(t.Context()))
	count.seen = map[string]int{}
	must[lake.Committed](t)(b.committer(tab).Commit(t.Context(), records(t, 20,
		b.checkpoint(t, "x", 20, 21), b.checkpoint(t, "y", 21, 22))))
	want := map[string]int{
		"HEAD data":    2, // the two files
		"GET metadata": 3, // whether there is a newer version, the parent's manifest list, the hint
		"PUT metadata": 4, // manifest, manifest list, version, hint
	}
	if fmt.Sprint(count.seen) != fmt.Sprint(want) {
		t.Errorf("requests: %v, want %v", count.seen, want)
	}
}
