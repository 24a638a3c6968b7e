package lake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// later is after everything that a test writes.
func later() time.Time { return time.Now().Add(time.Hour) }

func TestExpireKeepsTheNewestAndEveryNumber(t *testing.T) {
	b := newBed(t)
	b.three(t)
	slept := b.again(t, nil)
	must[*lake.Version](t)(slept.Load(t.Context()))
	before := must[*lake.Version](t)(b.Load(t.Context()))
	refs := must[*lake.References](t)(b.References(t.Context()))
	if refs.Versions != int(before.N) || refs.Newest.N != before.N {
		t.Errorf("%d versions, newest %d", refs.Versions, refs.Newest.N)
	}
	dry := must[lake.Expiry](t)(b.Expire(t.Context(), later(), true, nil))
	if dry.Versions != int(before.N)-1 || dry.Snapshots == 0 || dry.Newest != before.N || dry.Kept != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	if now := must[*lake.Version](t)(b.again(t, nil).Load(t.Context())); now.N != before.N {
		t.Fatalf("a dry run made version %d", now.N)
	}
	none := must[lake.Expiry](t)(b.Expire(t.Context(), time.Now().Add(-time.Hour), false, nil))
	if none.Versions+none.Snapshots != 0 || none.Newest != before.N {
		t.Errorf("nothing is as old: %+v", none)
	}
	e := must[lake.Expiry](t)(b.Expire(t.Context(), later(), false, nil))
	if e.Versions != int(before.N) || e.Newest != before.N+1 || e.Oldest != e.Newest || e.Kept != 1 {
		t.Errorf("%+v", e)
	}
	// Whoever looks finds the newest, by the hint, by the list, and after a long sleep.
	if err := b.store.Remove(t.Context(), b.Key("metadata/version-hint.text")); err != nil {
		t.Fatal(err)
	}
	for name, tab := range map[string]*lake.Table{"list": b.again(t, nil), "slept": slept} {
		v := must[*lake.Version](t)(tab.Load(t.Context()))
		if v.N != e.Newest || rows(t, tab) != 30 || len(v.Metadata.Snapshots()) > 2 {
			t.Errorf("%s: version %d, %d snapshots", name, v.N, len(v.Metadata.Snapshots()))
		}
	}
	for n := int64(1); n < e.Newest; n++ {
		if _, err := b.store.PutIfAbsent(t.Context(), b.Key(fmt.Sprintf("metadata/v%d.metadata.json", n)), []byte("{}")); !errors.Is(err, objects.ErrPrecondition) {
			t.Errorf("number %d is free: %v", n, err)
		}
	}
	c := b.checkpoint(t, "cp-3", 30, 40)
	must[lake.Committed](t)(b.committer(slept).Commit(t.Context(), records(t, 6, c)))
	if got := rows(t, b.again(t, nil)); got != 40 {
		t.Errorf("%d rows", got)
	}
}

// A commit was made and its author killed before it raised the hint. Readers that know nothing but the hint still find a
// version when the one that it names has expired.
func TestExpireRaisesAHintThatLags(t *testing.T) {
	b := newBed(t)
	b.three(t)
	v := must[lake.Expiry](t)(b.Expire(t.Context(), later(), false, nil)) // so that there is no snapshot to forget any more
	must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 6, b.checkpoint(t, "cp-3", 30, 40))))
	b.put(t, "metadata/version-hint.text", fmt.Sprint(v.Newest))
	if _, err := b.again(t, &hintless{}).Expire(t.Context(), later(), false, nil); err == nil {
		t.Error("versions expire although the hint cannot be raised")
	}
	body, _, err := b.store.Get(t.Context(), b.Key(fmt.Sprintf("metadata/v%d.metadata.json", v.Newest)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "tombstone") {
		t.Error("the version that the hint names has expired")
	}
}

// hintless refuses to write the hint.
type hintless struct{}

func (hintless) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/version-hint.text") {
		return answer(r, http.StatusInternalServerError), nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A committer that prepared its commit before its base expired finds the number taken, and commits on the newest.
func TestExpireUnderACommit(t *testing.T) {
	b := newBed(t)
	b.three(t)
	f := &faults{todo: []fault{first(func() {
		must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{Remove: live(t, b.Table)[:2], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 20)}}))
		must[lake.Expiry](t)(b.Expire(t.Context(), later(), false, nil))
	})}}
	done := must[lake.Committed](t)(b.committer(b.again(t, f)).Commit(t.Context(), records(t, 6, b.checkpoint(t, "cp-3", 30, 40))))
	if f.hit == 0 || done.Checkpoints != 1 || rows(t, b.again(t, nil)) != 40 {
		t.Errorf("%d faults, %+v, %d rows", f.hit, done, rows(t, b.again(t, nil)))
	}
}

// cutter ends a context at the nth overwriting of a version.
type cutter struct {
	cancel context.CancelFunc
	at     int32
	n      atomic.Int32
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json") && r.Header.Get("If-Match") != "" && c.n.Add(1) == c.at {
		c.cancel()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestExpireIsInterruptedAndGoesOn(t *testing.T) {
	b := newBed(t)
	b.three(t)
	ctx, cancel := context.WithCancel(t.Context())
	cut := &cutter{cancel: cancel, at: 2}
	_, err := b.again(t, cut).Expire(ctx, later(), false, nil)
	wantErr(t, "interrupted", err, context.Canceled)
	if got := rows(t, b.again(t, nil)); got != 30 {
		t.Errorf("%d rows", got)
	}
	must[lake.Expiry](t)(b.again(t, nil).Expire(t.Context(), later(), false, nil))
	refs := must[*lake.References](t)(b.again(t, nil).References(t.Context()))
	if refs.Versions != 1 || rows(t, b.again(t, nil)) != 30 {
		t.Errorf("%d versions", refs.Versions)
	}
}

// What a version that has not expired needs is told, also where the newest does not need it any more.
func TestReferencesAreOfEveryVersion(t *testing.T) {
	b := newBed(t)
	old := b.three(t)
	must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{Remove: old[:2], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 20)}}))
	must[objects.Info](t)(b.store.Put(t.Context(), b.Key("data/orphan.parquet"), []byte("x")))
	has := func(want string) {
		t.Helper()
		refs := must[*lake.References](t)(b.again(t, nil).References(t.Context()))
		got := ""
		for _, f := range []string{"cp-0", "cp-1", "cp-2", "merged", "orphan"} {
			if refs.Has(b.Key("data/" + f + ".parquet")) {
				got += f + " "
			}
		}
		if got != want {
			t.Errorf("references %q, want %q", got, want)
		}
	}
	has("cp-0 cp-1 cp-2 merged ")
	must[lake.Expiry](t)(b.Expire(t.Context(), later(), false, nil))
	has("cp-2 merged ")
}
