package lake_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

type manifest = iceberg.ManifestFile

func manifestsOf(t *testing.T, b *bed, v *lake.Version) ([]manifest, error) {
	return v.Metadata.CurrentSnapshot().Manifests(b.store.FS(t.Context()))
}

// commits makes n commits and returns the last version.
func (b *bed) commits(t *testing.T, tab *lake.Table, from, n int64) *lake.Version {
	t.Helper()
	var v *lake.Version
	for i := from; i < from+n; i++ {
		done := must[lake.Committed](t)(b.committer(tab).Commit(t.Context(), records(t, i, b.checkpoint(t, fmt.Sprint(i), i, i+1))))
		v = done.Version
	}
	return v
}

func (b *bed) hint(t *testing.T) string {
	t.Helper()
	got, _, err := b.store.Get(t.Context(), b.Key("metadata/version-hint.text"))
	if err != nil && !errors.Is(err, objects.ErrNotFound) {
		t.Fatal(err)
	}
	return string(got)
}

func (b *bed) removeHint(t *testing.T) {
	t.Helper()
	if err := b.store.Remove(t.Context(), b.Key("metadata/version-hint.text")); err != nil {
		t.Fatal(err)
	}
}

func TestNoTable(t *testing.T) {
	b := emptyBed(t)
	_, err := b.Load(t.Context())
	wantErr(t, "load", err, lake.ErrNoTable)
	if !strings.Contains(err.Error(), "coldstream init") {
		t.Errorf("no advice in %q", err)
	}
}

func TestCreateIsOnce(t *testing.T) {
	b := emptyBed(t)
	ids := make([]string, 6)
	var wg sync.WaitGroup
	for i := range ids {
		tab := b.again(t, nil)
		wg.Go(func() {
			v, err := tab.Create(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = v.Metadata.TableUUID().String()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("tables %v", ids)
		}
	}
	v := b.Load
	got := must[*lake.Version](t)(v(t.Context()))
	if got.N != 1 || b.hint(t) != "1" || got.Metadata.Version() != 2 {
		t.Errorf("v%d, hint %q, format %d", got.N, b.hint(t), got.Metadata.Version())
	}
	spec := got.Metadata.PartitionSpec()
	if spec.String() == "" || got.Metadata.SortOrder().Len() != 0 || got.Properties()["write.metadata.metrics.column.content"] != "counts" {
		t.Errorf("spec %s, sort order %v, properties %v", spec, got.Metadata.SortOrder(), got.Properties())
	}
}

func TestCreateKeepsATableWhoseHintIsLost(t *testing.T) {
	b := newBed(t)
	b.commits(t, b.Table, 0, 12)
	b.removeHint(t)
	v := must[*lake.Version](t)(b.again(t, nil).Create(t.Context()))
	if v.N != 14 || v.Position.Chunks.Next != 12 {
		t.Errorf("v%d at %+v", v.N, v.Position)
	}
	b.commits(t, b.again(t, nil), 12, 1)
	if b.hint(t) != "15" {
		t.Errorf("the hint was not made again: %q", b.hint(t))
	}
}

func TestHintThatLags(t *testing.T) {
	b := newBed(t)
	want := b.commits(t, b.Table, 0, 5)
	b.put(t, "metadata/version-hint.text", "2")
	if v := must[*lake.Version](t)(b.again(t, nil).Load(t.Context())); v.N != want.N {
		t.Errorf("v%d, want v%d", v.N, want.N)
	}
	b.commits(t, b.again(t, nil), 5, 1)
	if got := b.hint(t); got != strconv.FormatInt(want.N+1, 10) {
		t.Errorf("hint %s after v%d", got, want.N+1)
	}
}

func TestHintNeverMovesDown(t *testing.T) {
	b := newBed(t)
	f := &faults{}
	slow := b.again(t, f)
	must[*lake.Version](t)(slow.Load(t.Context()))
	f.todo = []fault{func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
		resp, err := pass() // our version is written; others commit on top before we come to the hint
		b.commits(t, b.again(t, nil), 1, 4)
		return resp, err
	}}
	b.commits(t, slow, 0, 1)
	if got := b.hint(t); got != "7" {
		t.Errorf("hint %s, want 7", got)
	}
}

func TestHintThatLies(t *testing.T) {
	b := newBed(t)
	b.put(t, "metadata/version-hint.text", "77")
	_, err := b.again(t, nil).Load(t.Context())
	wantErr(t, "hint to nowhere", err, lake.ErrDamaged)
	b.put(t, "metadata/version-hint.text", "soon")
	_, err = b.again(t, nil).Load(t.Context())
	wantErr(t, "hint of words", err, lake.ErrDamaged)
}

// noHint answers reads of the hint with 503.
type noHint struct{}

func (noHint) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "version-hint.text") {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return answer(r, http.StatusServiceUnavailable), nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestHintThatCannotBeRead(t *testing.T) {
	b := newBed(t)
	tab := b.again(t, noHint{})
	if _, err := tab.Load(t.Context()); err == nil || lake.IsFinal(err) {
		t.Errorf("load without a readable hint: %v", err)
	}
	if _, err := tab.Create(t.Context()); err == nil || lake.IsFinal(err) {
		t.Errorf("create without a readable hint: %v", err)
	}
}

// TestCommitWithoutHint: the commit is done, only the hint lags, and that is said.
func TestCommitWithoutHint(t *testing.T) {
	b := newBed(t)
	f := &switchable{}
	tab := b.again(t, f)
	must[*lake.Version](t)(tab.Load(t.Context()))
	f.set(noHint{})
	v := b.commits(t, tab, 0, 1)
	if v.HintErr == nil || v.N != 3 {
		t.Errorf("v%d, hint error %v", v.N, v.HintErr)
	}
	f.set(http.DefaultTransport)
	if v = b.commits(t, tab, 1, 1); v.HintErr != nil || b.hint(t) != "4" {
		t.Errorf("hint %s, %v", b.hint(t), v.HintErr)
	}
}

// switchable is a transport that can be changed while it is used by one goroutine.
type switchable struct{ http.RoundTripper }

func (s *switchable) set(t http.RoundTripper) { s.RoundTripper = t }

func (s *switchable) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.RoundTripper == nil {
		s.RoundTripper = http.DefaultTransport
	}
	return s.RoundTripper.RoundTrip(r)
}

const tombstone = `{"coldstream_tombstone":true}`

func TestTombstones(t *testing.T) {
	b := newBed(t)
	sleeper := b.again(t, nil)
	must[*lake.Version](t)(sleeper.Load(t.Context())) // knows v2
	want := b.commits(t, b.Table, 0, 6)               // v8
	b.put(t, "metadata/version-hint.text", "3")
	for n := 1; n <= 5; n++ {
		b.put(t, fmt.Sprintf("metadata/v%d.metadata.json", n), tombstone)
	}
	for name, tab := range map[string]*lake.Table{"hint on a tombstone": b.again(t, nil), "cache before tombstones": sleeper} {
		if v := must[*lake.Version](t)(tab.Load(t.Context())); v.N != want.N {
			t.Errorf("%s: v%d, want v%d", name, v.N, want.N)
		}
	}
	b.removeHint(t)
	b.commits(t, b.again(t, nil), 6, 1)
	if got := rows(t, b.again(t, nil)); got != 7 {
		t.Errorf("%d rows", got)
	}
}

// TestSettleBehindTombstones: the answer of a commit is lost, and before its author looks, others have committed so
// often that its version has expired.
func TestSettleBehindTombstones(t *testing.T) {
	b := newBed(t)
	f := &faults{}
	tab := b.again(t, f)
	f.todo = []fault{func(r *http.Request, pass func() (*http.Response, error)) (*http.Response, error) {
		_, err := lostAnswer(r, pass)
		b.commits(t, b.again(t, nil), 1, 3)
		b.put(t, "metadata/v3.metadata.json", tombstone)
		return nil, err
	}}
	done := must[lake.Committed](t)(b.committer(tab).Commit(t.Context(), records(t, 0, b.checkpoint(t, "0", 0, 1))))
	if done.Checkpoints != 1 || done.Version.N != 6 {
		t.Errorf("%+v at v%d", done, done.Version.N)
	}
	if got := rows(t, b.again(t, nil)); got != 4 {
		t.Errorf("%d rows", got)
	}
}

func TestUnknownPositionStops(t *testing.T) {
	b := newBed(t)
	v := b.commits(t, b.Table, 0, 1)
	doc, _, err := b.store.Get(t.Context(), b.Key(fmt.Sprintf("metadata/v%d.metadata.json", v.N)))
	if err != nil {
		t.Fatal(err)
	}
	later := strings.ReplaceAll(string(doc), `{\"format_version\":1,\"chunks\"`, `{\"format_version\":2,\"chunks\"`)
	b.put(t, fmt.Sprintf("metadata/v%d.metadata.json", v.N+1), later)
	_, err = b.again(t, nil).Load(t.Context())
	wantErr(t, "position of a later release", err, lake.ErrUnknownVersion)
}

func TestEnsureSource(t *testing.T) {
	b := newBed(t)
	var wg sync.WaitGroup
	numbers := make([]int, 8)
	for i := range numbers {
		tab := b.again(t, nil)
		wg.Go(func() {
			id := fmt.Sprint("topic-", i%4)
			n, err := tab.EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: id, TopicID: id})
			if err != nil {
				t.Error(err)
			}
			numbers[i] = n
		})
	}
	wg.Wait()
	v := must[*lake.Version](t)(b.Load(t.Context()))
	list := must[[]lake.Source](t)(v.Sources())
	if len(list) != 5 || v.N != 6 {
		t.Fatalf("%d sources at v%d: %+v", len(list), v.N, list)
	}
	for i, n := range numbers {
		if list[n].TopicID != fmt.Sprint("topic-", i%4) {
			t.Errorf("worker %d was told %d: %+v", i, n, list)
		}
	}
	if n, ok, err := v.SourceNumber(cluster, topicID); n != 0 || !ok || err != nil {
		t.Errorf("lookup: %d %v %v", n, ok, err)
	}
	if _, ok, err := v.SourceNumber("other", topicID); ok || err != nil {
		t.Errorf("lookup of what is not there: %v %v", ok, err)
	}
	_, err := b.EnsureSource(t.Context(), lake.Source{Cluster: cluster, Topic: topic, TopicID: "made-again"})
	wantErr(t, "a topic made again", err, lake.ErrForeign)
}

func TestEnsureSourceThroughFaults(t *testing.T) {
	b := newBed(t)
	f := &faults{todo: []fault{status(503), lostAnswer}}
	s := lake.Source{Cluster: cluster, Topic: "more", TopicID: "more"}
	if n := must[int](t)(b.again(t, f).EnsureSource(t.Context(), s)); n != 1 || f.hit != 2 {
		t.Errorf("number %d after %d faults", n, f.hit)
	}
	v := must[*lake.Version](t)(b.again(t, nil).Load(t.Context()))
	if list := must[[]lake.Source](t)(v.Sources()); len(list) != 2 || v.N != 3 {
		t.Errorf("v%d: %+v", v.N, list)
	}
}
