package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/lake"
)

// settleTime is how long the archive may take to catch up once nothing is broken any more.
const settleTime = 2 * time.Minute

// settle waits until the table has everything that the topic held when it was asked; false, and a violation, if it never does.
func (w *world) settle(when string) bool {
	ctx, cancel := context.WithTimeout(w.ctx, settleTime)
	defer cancel()
	var last error
	for ctx.Err() == nil {
		ends, err := w.admin.ListCommittedOffsets(ctx, w.topic("events"))
		if last = err; err == nil {
			marks := map[int32]int64{}
			for p, o := range ends[w.topic("events")] {
				marks[p] = o.Offset
			}
			return w.await(ctx, marks, when)
		}
	}
	if w.ctx.Err() == nil {
		w.wrong("%s: the broker does not answer: %v", when, last)
	}
	return false
}

func (w *world) await(ctx context.Context, marks map[int32]int64, when string) bool {
	for w.watch.behind(marks) > 0 {
		if w.spoilt() {
			return false
		}
		select {
		case <-ctx.Done():
			if w.ctx.Err() == nil {
				w.wrong("%s: the table does not come to where the topic ended %v ago: %d partitions are behind", when, settleTime, w.watch.behind(marks))
				w.standstill()
			}
			return false
		case <-time.After(lookEvery):
		}
	}
	return true
}

// checker keeps what it has read of files, which never change.
type checker struct {
	seen map[string][]row
}

// row is where a row of the lake came from.
type row struct {
	EventID   int64 `parquet:"event_id"`
	Source    int32 `parquet:"source"`
	Partition int32 `parquet:"kafka_partition"`
	Offset    int64 `parquet:"kafka_offset"`
}

// place is a record of the topic.
type place struct {
	partition int32
	offset    int64
}

// check settles, runs `coldstream verify` and does the count of its own.
func (w *world) check() {
	if w.ctx.Err() != nil || !w.settle("after the round") {
		return
	}
	lag := w.watch.takeLag()
	w.verify()
	e, err := w.compare()
	if err != nil && w.ctx.Err() == nil {
		w.wrong("the check could not read everything: %v", err)
	}
	e.What, e.World, e.Seconds, e.MaxLagMs, e.Mutant = "check", w.n, time.Since(w.began).Seconds(), lag.Milliseconds(), w.o.mutant
	w.journal.write(e)
	say("   checked: %d records, %d rows in %d files, %d dead letters; longest commit lag %s", e.Records, e.Rows, e.Files, e.Letters, lag.Round(100*time.Millisecond))
}

// verify runs the command that users run.
func (w *world) verify() {
	ctx, cancel := context.WithTimeout(w.ctx, 3*time.Minute)
	defer cancel()
	out, errs, err := output(ctx, w.binary, nil, "verify", "--json", "--config", w.config("direct"))
	if err == nil || w.ctx.Err() != nil {
		return
	}
	var result struct {
		OK       bool
		Examples []string
		Lake     json.RawMessage
	}
	if json.Unmarshal(out, &result) == nil && !result.OK && result.Lake != nil {
		w.wrong("verify finds: %s %q", result.Lake, result.Examples)
		return
	}
	w.wrong("verify could not: %v: %s", err, errs)
}

// compare holds the rows of the table against the records below its position, and the dead letters against the bad ones.
func (w *world) compare() (entry, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 3*time.Minute)
	defer cancel()
	v, err := w.table.Load(ctx)
	if err != nil {
		return entry{}, err
	}
	rows, files, err := w.rows(ctx, v)
	if err != nil {
		return entry{}, err
	}
	letters, err := w.letters(ctx)
	if err != nil {
		return entry{}, err
	}
	for key, n := range w.lettersBefore {
		if letters[key] -= n; letters[key] == 0 {
			delete(letters, key)
		}
	}
	source, next := w.source(ctx, v)
	for _, r := range rows {
		if len(r) > 1 {
			w.wrong("offset %d of partition %d stands %d times in the lake", r[0].Offset, r[0].Partition, len(r))
		}
	}
	e := entry{Rows: len(rows), Files: files, Letters: len(letters)}
	err = w.each(ctx, func(r *kgo.Record) {
		at := place{r.Partition, r.Offset}
		if r.Offset >= next[r.Partition] {
			if c := v.Position.CompleteMs; r.Timestamp.UnixMilli() < c {
				w.wrong("complete-until is %s, and offset %d of partition %d, written %s, is not in the lake", time.UnixMilli(c), r.Offset, r.Partition, r.Timestamp)
			}
			return
		}
		e.Records++
		w.judge(r, rows[at], letters[fmt.Sprintf("%s:%d:%d", r.Topic, r.Partition, r.Offset)], source)
		delete(rows, at)
	})
	for at := range rows {
		if err == nil {
			w.wrong("offset %d of partition %d is in the lake, and no committed record below its position is there", at.offset, at.partition)
		}
	}
	for key, n := range letters {
		if n > 1+w.chunksLost {
			w.wrong("record %s has %d dead letters", key, n)
		}
	}
	return e, err
}

// judge compares one record with what became of it.
func (w *world) judge(r *kgo.Record, rows []row, letters, source int) {
	kind, want, wantLetters := "", 0, 0
	if len(r.Headers) > 0 {
		kind = string(r.Headers[0].Value)
	}
	switch kind {
	case isEvent:
		want = 1
	case isBad:
		wantLetters = 1
	}
	if len(rows) != want {
		w.wrong("offset %d of partition %d, a record of kind %q, has %d rows in the lake", r.Offset, r.Partition, kind, len(rows))
	} else if want == 1 {
		var doc struct {
			ID int64 `json:"event_id,string"`
		}
		if err := json.Unmarshal(r.Value, &doc); err != nil || doc.ID != rows[0].EventID || int(rows[0].Source) != source {
			w.wrong("offset %d of partition %d is event %d of source %d, the lake says %d of source %d", r.Offset, r.Partition, doc.ID, source, rows[0].EventID, rows[0].Source)
		}
	}
	if again := letters - wantLetters; again != 0 && (again < 0 || wantLetters == 0 || again > w.chunksLost) {
		w.wrong("offset %d of partition %d, a record of kind %q, has %d dead letters", r.Offset, r.Partition, kind, letters)
	}
}

// source is the number of the topic as it is now in the table, and the table's position in it.
func (w *world) source(ctx context.Context, v *lake.Version) (int, map[int32]int64) {
	next := map[int32]int64{}
	id, err := lake.IdentifyTopic(ctx, []kgo.Opt{kgo.SeedBrokers(w.direct)}, w.topic("events"))
	if err != nil {
		return -1, next
	}
	n, _, err := v.SourceNumber(id.Cluster, id.TopicID)
	if err != nil {
		return -1, next
	}
	for _, s := range v.Position.Sources {
		if s.TopicID == id.TopicID {
			next[s.Partition] = s.Next
		}
	}
	return n, next
}

// rows reads the columns that matter of every file that the version names.
func (w *world) rows(ctx context.Context, v *lake.Version) (map[place][]row, int, error) {
	files, err := v.Files(ctx, lake.Filter{})
	if err != nil {
		return nil, 0, err
	}
	source, _ := w.source(ctx, v)
	read := make([][]row, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i, f := range files {
		if rows, ok := w.checker.seen[f.Path]; ok {
			read[i] = rows
			continue
		}
		g.Go(func() error {
			doc, _, err := w.table.Store().Get(ctx, w.table.Key(f.Path))
			if err != nil {
				return err
			}
			read[i], err = pq.Read[row](bytes.NewReader(doc), int64(len(doc)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, 0, err
	}
	if w.checker.seen == nil {
		w.checker.seen = map[string][]row{}
	}
	out := map[place][]row{}
	for i, f := range files {
		w.checker.seen[f.Path] = read[i]
		for _, r := range read[i] {
			if int(r.Source) == source {
				out[place{r.Partition, r.Offset}] = append(out[place{r.Partition, r.Offset}], r)
			}
		}
	}
	return out, len(files), nil
}
