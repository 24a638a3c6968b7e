package resolver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// row is what is held of an event that waits.
type row struct {
	ID         string `json:"id"`
	TargetHash uint64 `json:"target_hash"` // 0 for a Snowflake
	TargetID   int64  `json:"target_id"`
	Decimal    uint8  `json:"decimal"`
	ChannelID  int64  `json:"channel_id"`
	HasChannel uint8  `json:"has_channel"`
	Seen       int64  `json:"seen_ms"`
	Written    string `json:"written_at"`

	ambiguous int // how many messages the target named at the last look
}

// overlap is how far a read of new rows reaches back: inserts become visible in another order than their times.
const overlap = 10 * time.Second

// Waiting is how many events wait for their message.
func Waiting(ctx context.Context, c *chhttp.Client) (int64, error) {
	type count struct {
		N int64 `json:"n"`
	}
	rows, err := chhttp.Select[count](ctx, c, "SELECT count() AS n FROM unresolved FINAL WHERE status = 0")
	if err != nil || len(rows) != 1 {
		return 0, fmt.Errorf("count what waits for the resolver: %w", err)
	}
	return rows[0].N, nil
}

// load reads what waits: everything anew, or what was written since the last time. It returns the rows that are new.
func (r *Resolver) load(ctx context.Context, all bool) ([]row, error) {
	since := ""
	if !all && r.read != "" {
		since = fmt.Sprintf(" AND written > toDateTime64(%s, 3, 'UTC') - INTERVAL %d SECOND", chhttp.Quote(r.read), int(overlap.Seconds()))
	}
	rows, err := chhttp.Select[row](ctx, r.config.Client, fmt.Sprintf(`SELECT id, target_hash, target_id, decimal, channel_id, has_channel,
toUnixTimestamp64Milli(seen) AS seen_ms, toString(written) AS written_at
FROM unresolved FINAL WHERE status = 0%s ORDER BY rand() LIMIT %d`, since, maxWaiting))
	if err != nil {
		return nil, err
	}
	if all {
		clear(r.waiting)
	}
	var fresh []row
	for _, w := range rows {
		r.read = max(r.read, w.Written)
		if _, ok := r.waiting[w.ID]; !ok && len(r.waiting) < maxWaiting {
			r.waiting[w.ID] = w
			fresh = append(fresh, w)
		}
	}
	return fresh, nil
}

func (r *Resolver) rows() []row {
	rows := make([]row, 0, len(r.waiting))
	for _, w := range r.waiting {
		rows = append(rows, w)
	}
	return rows
}

// newParts is a condition that names the parts of the state table that were written since the last look, by an insert
// or a merge; empty if there are none. at is the server's time.
func (r *Resolver) newParts(ctx context.Context) (condition string, at int64, err error) {
	type part struct {
		Name string `json:"name"`
		At   int64  `json:"at"`
	}
	const slack = 2 // seconds: modification times are whole ones, and a part becomes active a little later
	rows, err := chhttp.Select[part](ctx, r.config.Client, fmt.Sprintf(`SELECT '' AS name, toInt64(toUnixTimestamp(now())) AS at
UNION ALL SELECT name, 0 AS at FROM system.parts
WHERE database = currentDatabase() AND table = 'state' AND active AND toUnixTimestamp(modification_time) >= %d`, r.looked-slack))
	if err != nil {
		return "", 0, err
	}
	var names []string
	for _, p := range rows {
		if p.Name == "" {
			at = p.At
			continue
		}
		names = append(names, chhttp.Quote(p.Name))
	}
	if len(names) == 0 {
		return "", at, nil
	}
	return "_part IN (" + strings.Join(names, ", ") + ")", at, nil
}

// mark records what became of rows: 1 resolved, 2 dead letter.
func (r *Resolver) mark(ctx context.Context, ids []string, status int) error {
	for _, some := range chunks(ids, perQuery) {
		err := r.config.Client.Exec(ctx, fmt.Sprintf(`INSERT INTO unresolved SELECT * REPLACE (%d AS status, now64(3) AS written)
FROM unresolved AS u FINAL WHERE u.status = 0 AND u.id IN (%s)`, status, quoted(some)))
		if err != nil {
			return fmt.Errorf("mark %d rows of unresolved: %w", len(some), err)
		}
		for _, id := range some {
			delete(r.waiting, id)
		}
	}
	return nil
}

// perQuery bounds the values that one statement names.
const perQuery = 2000

func chunks[T any](all []T, size int) [][]T {
	var out [][]T
	for len(all) > size {
		out, all = append(out, all[:size]), all[size:]
	}
	if len(all) > 0 {
		out = append(out, all)
	}
	return out
}

func quoted(texts []string) string {
	var b strings.Builder
	for i, t := range texts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(chhttp.Quote(t))
	}
	return b.String()
}
