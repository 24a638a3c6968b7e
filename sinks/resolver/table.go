package resolver

import (
	"context"
	"fmt"
	"strings"

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
	Arrived    int64  `json:"arrived_ms"` // by the clock of the server

	ambiguous int // how many messages the target named at the last look
}

// Waiting is how many events wait: for their message, or, deletes of whole channels and guilds, for being written.
func Waiting(ctx context.Context, c *chhttp.Client) (int64, error) {
	return count(ctx, c, `(SELECT id FROM unresolved FINAL WHERE status = 0
UNION ALL SELECT toString(id) FROM removals FINAL WHERE tupleElement(last, 'version') > applied)`)
}

// load adds what waits and is not known yet, and returns it. Without FINAL it may bring rows that are done: documents
// then has nothing to publish for them.
func (r *Resolver) load(ctx context.Context, which string) ([]row, error) {
	rows, err := chhttp.Select[row](ctx, r.config.Client, fmt.Sprintf(`SELECT id, target_hash, target_id, decimal, channel_id, has_channel,
toUnixTimestamp64Milli(written) AS arrived_ms FROM unresolved %s ORDER BY rand() LIMIT %d`, which, maxWaiting))
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	var fresh []row
	for _, w := range rows {
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

// parts are conditions that name the parts of the tables that were written since the last look, by an insert or a
// merge; empty if there are none. at is the server's time, Unix seconds.
type parts struct {
	state, unresolved, channels, removals string
	at                                    int64
}

func (s *shard) newParts(ctx context.Context) (parts, error) {
	type part struct {
		Table string `json:"table"`
		Name  string `json:"name"`
		At    int64  `json:"at"`
	}
	const slack = 2 // seconds: modification times are whole ones, and a part becomes active a little later
	rows, err := chhttp.Select[part](ctx, s.client, fmt.Sprintf(`SELECT '' AS table, '' AS name, toInt64(toUnixTimestamp(now())) AS at
UNION ALL SELECT table, name, 0 AS at FROM system.parts
WHERE database = currentDatabase() AND table IN ('state', 'unresolved', 'channels', 'removals') AND active AND toUnixTimestamp(modification_time) >= %d`, s.looked-slack))
	if err != nil {
		return parts{}, fmt.Errorf("list new parts: %w", err)
	}
	names := map[string][]string{}
	var p parts
	for _, row := range rows {
		if row.Table == "" {
			p.at = row.At
			continue
		}
		names[row.Table] = append(names[row.Table], row.Name)
	}
	for table, condition := range map[string]*string{
		"state": &p.state, "unresolved": &p.unresolved, "channels": &p.channels, "removals": &p.removals,
	} {
		if len(names[table]) > 0 {
			*condition = "_part IN (" + quoted(names[table]) + ")"
		}
	}
	return p, nil
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
