package lake_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/lake"
)

func TestCommitTakesManyCheckpointsAtOnce(t *testing.T) {
	b := newBed(t)
	before := must[*lake.Version](t)(b.Load(t.Context()))
	done := must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 3,
		b.checkpoint(t, "a", 100, 110), b.checkpoint(t, "b", 110, 115),
		b.checkpointOf(t, "c", lake.SourceRange{Partition: 1, From: 0, Next: 7, CompleteMs: 5000},
			lake.SourceRange{Partition: 0, From: 115, Next: 115, CompleteMs: 4000}),
	)))
	if done.Checkpoints != 3 || done.Files != 3 || done.Rows != 22 || done.Version.N != before.N+1 {
		t.Errorf("%+v from v%d", done, before.N)
	}
	v := must[*lake.Version](t)(b.again(t, nil).Load(t.Context()))
	if got := rows(t, b.again(t, nil)); got != 22 {
		t.Errorf("%d rows", got)
	}
	p := v.Position
	if p.Chunks != (lake.ChunksPosition{Cluster: cluster, Topic: "chunks", TopicID: chunksID, Next: 8}) {
		t.Errorf("chunks: %+v", p.Chunks)
	}
	if len(p.Sources) != 2 || p.Sources[0].Next != 115 || p.Sources[1].Next != 7 || p.CompleteMs != 4000 {
		t.Errorf("position: %+v", p)
	}
	summary := v.Metadata.CurrentSnapshot().Summary.Properties
	if summary[lake.PropertyPosition] != v.Properties()[lake.PropertyPosition] || summary["total-records"] != "22" {
		t.Errorf("summary: %v", summary)
	}
	if v.CommitID() == "" {
		t.Error("the snapshot carries no commit id")
	}
}

func TestCommitOfNoFilesMovesThePosition(t *testing.T) {
	b := newBed(t)
	c := b.checkpoint(t, "a", 0, 50)
	c.Files = nil // all repeats
	done := must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 0, c)))
	if done.Checkpoints != 1 || done.Version.CommitID() == "" {
		t.Errorf("%+v", done)
	}
	b.wantPosition(t, 50)
}

func TestCommitDropsWhatIsBelow(t *testing.T) {
	b := newBed(t)
	a := b.checkpoint(t, "a", 0, 10)
	com := b.committer(b.Table)
	must[lake.Committed](t)(com.Commit(t.Context(), records(t, 0, a)))
	zombie := b.checkpoint(t, "zombie", 0, 10)
	done := must[lake.Committed](t)(com.Commit(t.Context(), records(t, 0, a, zombie, b.checkpoint(t, "b", 10, 15))))
	if done.Checkpoints != 1 || done.Dropped != 1 || rows(t, b.Table) != 15 {
		t.Errorf("%+v, %d rows", done, rows(t, b.Table))
	}
	same := must[lake.Committed](t)(com.Commit(t.Context(), records(t, 4, zombie, zombie)))
	if same.Checkpoints != 0 || same.Version.N != done.Version.N {
		t.Errorf("a commit was made of nothing: %+v", same)
	}
}

// TestCommitStops shows for each reason that what stood before is committed, and nothing of it or after it.
func TestCommitStops(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, b *bed, bad *lake.Checkpoint)
		want   error
	}{
		{"gap", func(_ *testing.T, _ *bed, bad *lake.Checkpoint) { bad.Sources[0].From = 11 }, lake.ErrGap},
		{"overlap", func(_ *testing.T, _ *bed, bad *lake.Checkpoint) { bad.Sources[0].From = 9 }, lake.ErrOverlap},
		{"foreign cluster", func(_ *testing.T, _ *bed, bad *lake.Checkpoint) { bad.Sources[0].Cluster = "other" }, lake.ErrForeign},
		{"foreign topic", func(_ *testing.T, _ *bed, bad *lake.Checkpoint) { bad.Sources[0].TopicID = "other" }, lake.ErrForeign},
		{"partly below", func(t *testing.T, b *bed, bad *lake.Checkpoint) {
			bad.Sources = append(bad.Sources, lake.SourceRange{Cluster: cluster, TopicID: topicID, Partition: 1, Next: 5})
			bad.Sources[0].From, bad.Sources[0].Next = 0, 10
		}, lake.ErrOverlap},
		{"missing file", func(_ *testing.T, _ *bed, bad *lake.Checkpoint) { bad.Files[0].Path = "data/none.parquet" }, lake.ErrMissingFile},
		{"altered file", func(t *testing.T, b *bed, bad *lake.Checkpoint) { b.put(t, bad.Files[0].Path, "short") }, lake.ErrMissingFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			bad := b.checkpoint(t, "bad", 10, 20)
			c.change(t, b, &bad)
			rs := records(t, 0, b.checkpoint(t, "good", 0, 10), bad, b.checkpoint(t, "after", 20, 30))
			done, err := b.committer(b.Table).Commit(t.Context(), rs)
			wantErr(t, c.name, err, c.want)
			if !lake.IsFinal(err) || done.Checkpoints != 1 {
				t.Errorf("final: %v, %+v", lake.IsFinal(err), done)
			}
			b.wantPosition(t, 10)
			if got := rows(t, b.Table); got != 10 {
				t.Errorf("%d rows", got)
			}
			before := done.Version.N
			if done, err = b.committer(b.Table).Commit(t.Context(), rs); done.Version.N != before || err == nil {
				t.Errorf("after the stop: v%d, then v%d, %v", before, done.Version.N, err)
			}
		})
	}
}

func TestCommitStopsAtAnUnknownVersion(t *testing.T) {
	b := newBed(t)
	rs := append(records(t, 0, b.checkpoint(t, "a", 0, 10)), lake.Record{Offset: 2, Value: []byte(`{"format_version":2,"new":1}`)})
	_, err := b.committer(b.Table).Commit(t.Context(), rs)
	wantErr(t, "unknown version", err, lake.ErrUnknownVersion)
	b.wantPosition(t, 10)
}

func TestCommitRefusesForeignChunks(t *testing.T) {
	b := newBed(t)
	must[lake.Committed](t)(b.committer(b.Table).Commit(t.Context(), records(t, 0, b.checkpoint(t, "a", 0, 10))))
	next := records(t, 2, b.checkpoint(t, "b", 10, 20))
	for _, c := range []*lake.Committer{
		lake.NewCommitter(b.Table, "other", "chunks", chunksID),
		lake.NewCommitter(b.Table, cluster, "chunks", "33333333-3333-3333-3333-333333333333"),
	} {
		_, err := c.Commit(t.Context(), next)
		wantErr(t, "records of another topic chunks", err, lake.ErrForeign)
	}
	b.wantPosition(t, 10)
}

// TestCommittersRace lets committers, each believing that it owns the topic, take the same checkpoints at once; among
// these are zombies, which announce the same offsets with files of their own. Every row must be in the table once.
func TestCommittersRace(t *testing.T) {
	const steps, committers = 30, 3
	b := newBed(t)
	var log []lake.Record
	for i := range int64(steps) {
		for _, who := range []string{"live", "zombie"} {
			c := b.checkpoint(t, fmt.Sprintf("%s-%d", who, i), i*10, i*10+10)
			log = append(log, lake.Record{Offset: int64(len(log)), Value: must[[]byte](t)(lake.Encode(c))})
		}
	}
	var wg sync.WaitGroup
	for n := range committers {
		com, rng := b.committer(b.again(t, nil)), rand.New(rand.NewPCG(uint64(n), 1))
		wg.Go(func() {
			for at := 0; at < len(log); {
				upTo := min(len(log), at+1+rng.IntN(6))
				if _, err := com.Commit(t.Context(), log[at:upTo]); err != nil {
					t.Error(err)
					return
				}
				at = upTo
			}
		})
	}
	wg.Wait()
	if got := rows(t, b.again(t, nil)); got != steps*10 {
		t.Errorf("%d rows, want %d", got, steps*10)
	}
	b.wantPosition(t, steps*10)
	files := map[string]bool{}
	for _, f := range live(t, b.Table) {
		if files[f.Path] {
			t.Errorf("%s is in the table twice", f.Path)
		}
		files[f.Path] = true
	}
}

// TestManifestsAreMerged makes more commits than manifests may stay, and finds every file all the same.
func TestManifestsAreMerged(t *testing.T) {
	const commits = 130
	b := newBed(t)
	com := b.committer(b.Table)
	for i := range int64(commits) {
		c := b.checkpoint(t, fmt.Sprint(i), i, i+1)
		c.Files[0] = b.file(t, c.Files[0].Path, day+int32(i%3), 1)
		must[lake.Committed](t)(com.Commit(t.Context(), records(t, i, c)))
	}
	v := must[*lake.Version](t)(b.again(t, nil).Load(t.Context()))
	doc, _, err := b.store.Get(t.Context(), b.Key(fmt.Sprintf("metadata/v%d.metadata.json", v.N)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(v.Metadata.Snapshots()); n != 100 || len(doc) > 200_000 {
		t.Errorf("the metadata lists %d snapshots in %d bytes", n, len(doc))
	}
	manifests := must[[]manifest](t)(manifestsOf(t, b, v))
	if len(manifests) > 101 {
		t.Errorf("%d manifests after %d commits", len(manifests), commits)
	}
	files := must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{}))
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.Path] = true
	}
	if len(files) != commits || len(seen) != commits {
		t.Errorf("%d files, %d distinct, want %d", len(files), len(seen), commits)
	}
	for i, f := range files { // merged entries keep the sequence number of the commit that added them
		if f.Sequence < 2 || f.Stats == nil || f.Day < day || i > 0 && files[i-1].Day > f.Day {
			t.Fatalf("file %d: %+v", i, f)
		}
	}
	at := time.Unix(0, 0).Add(time.Duration(day+1) * 24 * time.Hour)
	one := must[[]lake.File](t)(v.Files(t.Context(), lake.Filter{From: at, To: at.Add(24 * time.Hour)}))
	if len(one) != 43 {
		t.Errorf("%d files of the second day, want 43", len(one))
	}
}
