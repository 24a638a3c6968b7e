package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/coldstream/coldstream/schemas"
)

const (
	// maxRefused bounds the rows of one block that may become dead letters: where more are refused, it is not the
	// rows that are wrong.
	maxRefused = 100
	// doubt is how often an error of unknown meaning is retried before the sink stops.
	doubt = 5
)

// inserter sends blocks, one at a time. It belongs to one goroutine.
type inserter struct {
	config Config
	stats  *counters
	body   proto.Buffer
}

// refused is a row that ClickHouse did not take.
type refused struct {
	origin
	err error
}

// insert makes a block durable. It returns when all of it is acknowledged or is a dead letter, when ctx ends, or with
// an error that wraps ErrStop.
func (w *inserter) insert(ctx context.Context, k *block) error {
	if len(k.waiting) > 0 {
		if err := w.send(ctx, waitingInsert, jsonRows(k.waiting), k.token); err != nil {
			return fmt.Errorf("insert into unresolved: %w", err)
		}
		w.stats.waiting.Add(int64(len(k.waiting)))
	}
	if n := len(k.names.id); n > 0 {
		w.body.Reset()
		encode(&w.body, k.names.list, 0, n)
		if err := w.send(ctx, namesInsert, w.body.Buf, k.token); err != nil {
			return fmt.Errorf("insert into names: %w", err)
		}
	}
	n := k.state.rows()
	if n == 0 {
		return nil
	}
	var out []refused
	if err := w.rows(ctx, k, 0, n, &out); err != nil {
		return fmt.Errorf("insert %s into state: %w", k.token, err)
	}
	w.stats.rows.Add(int64(n - len(out)))
	return w.bury(ctx, k, out)
}

// rows inserts rows [from, to) of a block, in halves where a row is refused.
func (w *inserter) rows(ctx context.Context, k *block, from, to int, out *[]refused) error {
	token := k.token
	if to-from < k.state.rows() {
		token += ":" + strconv.Itoa(from) + "-" + strconv.Itoa(to)
	}
	w.body.Reset()
	encode(&w.body, k.state.list, from, to)
	err := w.send(ctx, stateInsert, w.body.Buf, token)
	if v, _ := judge(err); err == nil || v == stop || ctx.Err() != nil {
		return err
	}
	if to-from == 1 {
		*out = append(*out, refused{k.origins[from], err})
		if len(*out) > maxRefused {
			return fmt.Errorf("%w: more than %d rows of one block are refused, the last with: %w", ErrStop, maxRefused, err)
		}
		return nil
	}
	middle := from + (to-from)/2
	if err := w.rows(ctx, k, from, middle, out); err != nil {
		return err
	}
	return w.rows(ctx, k, middle, to, out)
}

// send repeats one insert, as it is, until it is acknowledged, or refused for good.
func (w *inserter) send(ctx context.Context, sql string, body []byte, token string) error {
	settings := map[string]string{
		"async_insert": "0", "insert_deduplication_token": token,
		// Rows of one message within a block merge later, with all others: doing it on the way in took 70 % of an
		// insert's CPU time (800,000 rows: 4.3 s with, 1.2 s without). Readers use FINAL in any case.
		"optimize_on_insert": "0",
	}
	for n := 0; ; n++ {
		err := w.attempt(ctx, sql, body, settings)
		if err == nil {
			return nil
		}
		v, known := judge(err)
		if !known && n >= doubt {
			v = stop
		}
		switch {
		case ctx.Err() != nil:
			return err
		case v == stop:
			return stopError(err)
		case v == split:
			return err
		}
		w.stats.retries.Add(1)
		w.config.Log.Warn("insert failed, trying again", "attempt", n+1, "error", err)
		if !sleep(ctx, pause(w.config.Backoff, w.config.MaxBackoff, n)) {
			return err
		}
	}
}

func (w *inserter) attempt(ctx context.Context, sql string, body []byte, settings map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	return w.config.Client.Insert(ctx, sql, body, settings)
}

// bury makes dead letters of refused rows.
func (w *inserter) bury(ctx context.Context, k *block, rows []refused) error {
	if len(rows) == 0 {
		return nil
	}
	var letters []schemas.DeadLetter
	for i, r := range rows {
		if i > 0 && rows[i-1].origin == r.origin { // a bulk delete makes several rows of one record
			continue
		}
		letters = append(letters, schemas.DeadLetter{
			Topic: k.topics[r.source], Partition: r.part, Offset: r.offset, Stage: "insert", Error: r.err.Error(),
		})
	}
	for n := 0; ; n++ {
		err := w.publish(ctx, letters)
		if err == nil {
			w.stats.refused.Add(int64(len(rows)))
			return nil
		}
		w.config.Log.Warn("dead letters not published, trying again", "attempt", n+1, "error", err)
		if !sleep(ctx, pause(w.config.Backoff, w.config.MaxBackoff, n)) {
			return fmt.Errorf("dead letters of block %s: %w", k.token, err)
		}
	}
}

// publish completes dead letters with their records and hands them over.
func (w *inserter) publish(ctx context.Context, letters []schemas.DeadLetter) error {
	for i := range letters {
		if letters[i].Value != nil {
			continue
		}
		if err := reread(ctx, w.config.Reread, &letters[i]); err != nil {
			return fmt.Errorf("%s: %w", letters[i].ID(), err)
		}
	}
	return w.config.DeadLetter(ctx, letters)
}

// pause is the n-th pause, from half of its length to all of it.
func pause(first, most time.Duration, n int) time.Duration {
	d := most
	if n < 16 {
		d = min(most, first<<n)
	}
	return d/2 + rand.N(d/2+1)
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

const waitingInsert = "INSERT INTO unresolved (id, event_id, event, completed, target, target_hash, target_id, decimal, channel_id, has_channel, topic, partition, offset, seen) FORMAT JSONEachRow"

func jsonRows[T any](rows []T) []byte {
	var out []byte
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // numbers and strings only
		}
		out = append(append(out, line...), '\n')
	}
	return out
}
