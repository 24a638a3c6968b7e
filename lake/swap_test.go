package lake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/coldstream/coldstream/lake"
)

// three commits three files of 10 rows, each by a commit of its own.
func (b *bed) three(t *testing.T) []lake.File {
	t.Helper()
	for i := range int64(3) {
		c := b.checkpoint(t, fmt.Sprintf("cp-%d", i), 10*i, 10*i+10)
		must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 2*i, c)))
	}
	return live(t, b.Table)
}

func paths(files []lake.File) (out []string) {
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

func TestSwapReplacesFilesOnly(t *testing.T) {
	b := newBed(t)
	old := b.three(t)
	v := must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{
		Remove: old[:2], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 20)}, Summary: map[string]string{"told": "yes"},
	}))
	if got := fmt.Sprint(paths(live(t, b.again(t, nil)))); got != "[data/cp-2.parquet data/merged.parquet]" {
		t.Errorf("live: %s", got)
	}
	b.wantPosition(t, 30)
	sum := v.Metadata.CurrentSnapshot().Summary
	if string(sum.Operation) != "replace" {
		t.Errorf("operation %s", sum.Operation)
	}
	for key, want := range map[string]string{
		"total-data-files": "2", "total-records": "30", "deleted-data-files": "2", "deleted-records": "20", "added-records": "20", "told": "yes",
	} {
		if got := sum.Properties[key]; got != want {
			t.Errorf("summary %s: %q, want %s", key, got, want)
		}
	}
	// Life goes on, on top of it.
	c := b.checkpoint(t, "cp-3", 30, 40)
	must[lake.Committed](t)(b.committer(b.again(t, nil)).Commit(t.Context(), records(t, 6, c)))
	if got := rows(t, b.Table); got != 40 {
		t.Errorf("%d rows, want 40", got)
	}
}

func TestSwapOfAReplacedFileIsAbandoned(t *testing.T) {
	b := newBed(t)
	old := b.three(t)
	must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{Remove: old[:2], Add: []lake.DataFile{b.file(t, "data/first.parquet", day, 20)}}))
	before := must[*lake.Version](t)(b.Load(t.Context()))
	_, err := b.Swap(t.Context(), lake.Swap{Remove: old[1:], Add: []lake.DataFile{b.file(t, "data/second.parquet", day, 20)}})
	wantErr(t, "second swap", err, lake.ErrInputGone)
	if after := must[*lake.Version](t)(b.again(t, nil).Load(t.Context())); after.N != before.N {
		t.Errorf("version %d became %d", before.N, after.N)
	}
}

// A commit of the committer, or another swap, comes between the swap's look and its write.
func TestSwapBesideOthers(t *testing.T) {
	for _, who := range []string{"committer", "compactor"} {
		t.Run(who, func(t *testing.T) {
			b := newBed(t)
			old := b.three(t)
			f := &faults{todo: []fault{first(func() {
				if who == "compactor" {
					must[*lake.Version](t)(b.Swap(t.Context(), lake.Swap{Remove: old[:1], Add: []lake.DataFile{b.file(t, "data/other.parquet", day, 10)}}))
					return
				}
				must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 6, b.checkpoint(t, "cp-3", 30, 40))))
			})}}
			_, err := b.again(t, f).Swap(t.Context(), lake.Swap{Remove: old[:2], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 20)}})
			want := "[data/cp-2.parquet data/cp-3.parquet data/merged.parquet]"
			if who == "compactor" {
				wantErr(t, "swap", err, lake.ErrInputGone)
				want = "[data/cp-1.parquet data/cp-2.parquet data/other.parquet]"
			} else if err != nil {
				t.Error(err)
			}
			if got := fmt.Sprint(paths(live(t, b.again(t, nil)))); got != want {
				t.Errorf("live %s, want %s", got, want)
			}
			if f.hit == 0 {
				t.Error("the fault was not met")
			}
		})
	}
}

// The outcome of the first write is not known; it must neither be given up nor be made twice.
func TestSwapWithoutAnAnswer(t *testing.T) {
	for name, broken := range map[string]fault{"written": lostAnswer, "not written": lostRequest, "written, 500": writtenBut(500), "503": status(503)} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			old := b.three(t)
			f := &faults{todo: []fault{broken}}
			v := must[*lake.Version](t)(b.again(t, f).Swap(t.Context(), lake.Swap{
				Remove: old[:2], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 20)},
			}))
			if got := rows(t, b.again(t, nil)); got != 30 || v == nil {
				t.Errorf("%d rows, version %v", got, v)
			}
			if f.hit == 0 {
				t.Error("the fault was not met")
			}
		})
	}
}

func TestSwapRefuses(t *testing.T) {
	b := newBed(t)
	old := b.three(t)
	missing := describe("data/never.parquet", []byte("x"), day, 10)
	_, err := b.Swap(t.Context(), lake.Swap{Remove: old[:1], Add: []lake.DataFile{missing}})
	wantErr(t, "file that is not there", err, lake.ErrMissingFile)
	stop := errors.New("too old")
	_, err = b.Swap(t.Context(), lake.Swap{
		Remove: old[:1], Add: []lake.DataFile{b.file(t, "data/merged.parquet", day, 10)}, Check: func(context.Context) error { return stop },
	})
	wantErr(t, "check", err, stop)
	if got := fmt.Sprint(paths(live(t, b.again(t, nil)))); got != "[data/cp-0.parquet data/cp-1.parquet data/cp-2.parquet]" {
		t.Errorf("live: %s", got)
	}
}
