package lake_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// TestCommitSurvivesFaults shows that whatever happens to the one write that commits, a caller that does as the
// documentation says ends with every row in the table once.
func TestCommitSurvivesFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
		first error // of the first call; nil: it settles by itself
	}{
		{"answer lost", lostAnswer, nil},
		{"written but 500", writtenBut(500), nil},
		{"written but 503", writtenBut(503), nil},
		{"written but 412, as after a repeat underneath", writtenBut(412), nil},
		{"written but 409", writtenBut(409), nil},
		{"request lost", lostRequest, lake.ErrUnsettled},
		{"500", status(500), lake.ErrUnsettled},
		{"503", status(503), lake.ErrUnsettled},
		{"409", status(409), lake.ErrUnsettled},
		{"412 though nobody was there", status(412), lake.ErrUnsettled},
		{"no answer", silence, lake.ErrUnsettled},
		{"forbidden", status(403), objects.ErrDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			f := &faults{todo: []fault{c.fault}}
			cfg := b.config
			cfg.Transport, cfg.WriteTimeout = f, 300*time.Millisecond
			com := b.committer(lake.OpenEvents(must[*objects.Store](t)(objects.Open(cfg))))
			rs := records(t, 0, b.checkpoint(t, "a", 0, 10))
			_, err := com.Commit(t.Context(), rs)
			if c.first != nil {
				wantErr(t, "first call", err, c.first)
				if lake.IsFinal(err) {
					t.Errorf("%v is final", err)
				}
				_, err = com.Commit(t.Context(), rs)
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.hit != 1 {
				t.Errorf("%d faults were met", f.hit)
			}
			if got := rows(t, b.again(t, nil)); got != 10 {
				t.Errorf("%d rows", got)
			}
			b.wantPosition(t, 10)
		})
	}
}

// TestOthersCommitInBetween: the version that a committer was about to write is taken under its hands, by one who
// committed the same checkpoint, and by one who committed something else.
func TestOthersCommitInBetween(t *testing.T) {
	b := newBed(t)
	a, next := b.checkpoint(t, "a", 0, 10), b.checkpoint(t, "b", 10, 20)
	other := b.committer(b.again(t, nil))
	f := &faults{todo: []fault{first(func() {
		must[lake.Committed](t)(other.Commit(t.Context(), records(t, 0, a)))
	}), first(func() {
		must[int](t)(b.again(t, nil).EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: "more", TopicID: "more"}))
	})}}
	com := b.committer(b.again(t, f))
	done := must[lake.Committed](t)(com.Commit(t.Context(), records(t, 0, a, next)))
	if f.hit != 2 || done.Checkpoints != 1 {
		t.Errorf("%d races, %+v", f.hit, done)
	}
	if got := rows(t, b.again(t, nil)); got != 20 {
		t.Errorf("%d rows", got)
	}
	if list := must[[]lake.Source](t)(done.Version.Sources()); len(list) != 2 {
		t.Errorf("the commit overwrote the list of sources: %+v", list)
	}
}

// TestLateWriteLoses: a write that the store only carries out after its author gave up and committed anew.
func TestLateWriteLoses(t *testing.T) {
	b := newBed(t)
	var late func() int
	f := &faults{todo: []fault{func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		late = func() int {
			resp := must[*http.Response](t)(http.DefaultTransport.RoundTrip(again))
			resp.Body.Close()
			return resp.StatusCode
		}
		return status(503)(r, pass)
	}}}
	com := b.committer(b.again(t, f))
	rs := records(t, 0, b.checkpoint(t, "a", 0, 10))
	_, err := com.Commit(t.Context(), rs)
	wantErr(t, "first try", err, lake.ErrUnsettled)
	must[lake.Committed](t)(com.Commit(t.Context(), rs))
	if code := late(); code != http.StatusPreconditionFailed {
		t.Errorf("the late write was answered %d", code)
	}
	if got := rows(t, b.again(t, nil)); got != 10 {
		t.Errorf("%d rows", got)
	}
}

// TestLateWriteWins is the same, but the late write is carried out before its author tries again.
func TestLateWriteWins(t *testing.T) {
	b := newBed(t)
	taken := b.committer(b.again(t, nil))
	rs := records(t, 0, b.checkpoint(t, "a", 0, 10))
	f := &faults{todo: []fault{status(503)}}
	com := b.committer(b.again(t, f))
	_, err := com.Commit(t.Context(), rs)
	wantErr(t, "first try", err, lake.ErrUnsettled)
	must[lake.Committed](t)(taken.Commit(t.Context(), rs))
	done := must[lake.Committed](t)(com.Commit(t.Context(), rs))
	if done.Checkpoints != 0 || rows(t, b.Table) != 10 {
		t.Errorf("%+v, %d rows", done, rows(t, b.Table))
	}
}
