package main

import (
	"context"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// watcher follows the table and topic `chunks`, and knows how far commits lag.
type watcher struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu        sync.Mutex
	position  map[int32]int64
	chunks    int64 // the table's next offset of `chunks`
	version   int64
	completed int64       // the table's complete-until, Unix milliseconds
	records   []announced // of `chunks`, not in the table yet
	end       int64       // of what was seen of `chunks`
	maxLag    time.Duration

	hint int64 // the highest that the hint has said; of look alone
}

// announced is a record of `chunks`, committed or not.
type announced struct {
	offset int64
	at     time.Time
}

const lookEvery = 300 * time.Millisecond

func startWatcher(w *world) *watcher {
	ctx, cancel := context.WithCancel(w.ctx)
	x := &watcher{cancel: cancel}
	x.done.Go(func() { x.follow(ctx, w) })
	x.done.Go(func() { x.look(ctx, w) })
	return x
}

func (x *watcher) stop() {
	x.cancel()
	x.done.Wait()
}

// follow reads `chunks` as it is written, uncommitted records too.
func (x *watcher) follow(ctx context.Context, w *world) {
	client, err := kgo.NewClient(kgo.SeedBrokers(w.direct), kgo.ConsumeTopics(w.topic("chunks")))
	if err != nil {
		w.wrong("watch topic chunks: %v", err)
		return
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		x.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			x.records = append(x.records, announced{r.Offset, time.Now()})
			x.end = r.Offset + 1
		})
		x.mu.Unlock()
	}
}

// look loads the table again and again.
func (x *watcher) look(ctx context.Context, w *world) {
	for ctx.Err() == nil {
		x.lookAtHint(ctx, w)
		if v, err := w.table.Load(ctx); err == nil {
			x.mu.Lock()
			x.version, x.chunks, x.completed = v.N, v.Position.Chunks.Next, v.Position.CompleteMs
			x.position = map[int32]int64{}
			for _, s := range v.Position.Sources {
				if !s.Retired {
					x.position[s.Partition] = s.Next
				}
			}
			i := sort.Search(len(x.records), func(i int) bool { return x.records[i].offset >= x.chunks })
			x.records = x.records[i:]
			x.maxLag = max(x.maxLag, x.lag())
			x.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// lookAtHint sees to it that the hint only rises: readers that go by it must not see the table go back.
func (x *watcher) lookAtHint(ctx context.Context, w *world) {
	doc, _, err := w.table.Store().Get(ctx, w.table.Key("metadata/version-hint.text"))
	if err != nil {
		return
	}
	n, err := strconv.ParseInt(string(doc), 10, 64)
	if err != nil || n < x.hint {
		w.wrong("the version hint says %q after it said %d", doc, x.hint)
	}
	x.hint = max(x.hint, n)
}

// lag is how long the oldest record that is not in the table has waited; under mu.
func (x *watcher) lag() time.Duration {
	if len(x.records) == 0 {
		return 0
	}
	return time.Since(x.records[0].at)
}

// takeLag gives the longest lag since it was last asked.
func (x *watcher) takeLag() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	d := x.maxLag
	x.maxLag = 0
	return d
}

// at gives the next offset of `chunks` that the table does not have, and the end of what is there.
func (x *watcher) at() (committed, end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.chunks, x.end
}

// behind says how many partitions of the topic are below the marks.
func (x *watcher) behind(marks map[int32]int64) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for p, mark := range marks {
		if x.position[p] < mark {
			n++
		}
	}
	return n
}
