package lake_test

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// counted counts the requests that reach the store.
type counted struct{ n atomic.Int64 }

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// A worker loads the table when it is given partitions, which may be a month of commits after it last did: it must not
// read every version between, one after the other, while its group waits.
func TestLoadAfterManyVersions(t *testing.T) {
	b, c := newBed(t), &counted{}
	idle := b.again(t, c)
	if _, err := idle.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := b.commits(t, b.Table, 0, 60)
	before := c.n.Load()
	v, err := idle.Load(t.Context())
	if err != nil || v.N != last.N {
		t.Fatalf("v%d, want v%d: %v", v.N, last.N, err)
	}
	if n := c.n.Load() - before; n > 10 {
		t.Errorf("%d requests to come from v%d to v%d", n, last.N-60, last.N)
	}
}

// Without a hint, or with one that lags, every version is walked and none is passed over.
func TestLoadAfterManyVersionsWithoutHint(t *testing.T) {
	b := newBed(t)
	idle := b.again(t, nil)
	if _, err := idle.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := b.commits(t, b.Table, 0, 9)
	b.put(t, "metadata/version-hint.text", "2")
	if v, err := idle.Load(t.Context()); err != nil || v.N != last.N {
		t.Fatalf("with a hint that lags: v%d, want v%d: %v", v.N, last.N, err)
	}
	idle = b.again(t, nil)
	b.removeHint(t)
	if v, err := idle.Load(t.Context()); err != nil || v.N != last.N {
		t.Fatalf("without a hint: v%d, want v%d: %v", v.N, last.N, err)
	}
}
