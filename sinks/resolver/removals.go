package resolver

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// Deletes of whole channels and guilds are facts about channels, not about one message that has to be found: they never
// become dead letters. Once written into the state of the messages that they take (schemas.Covers), they are ordinary
// deletes to every reader. A message that arrives later is in a new part of the state, and gets its delete then.
//
// While no channel was ever deleted, all of this costs nothing beside the list of new parts.

// covers are the latest deletes by channel: its own, and those of the guilds that it was seen in.
const covers = `SELECT channel_id, max(d) AS d FROM (
	SELECT id AS channel_id, last AS d FROM removals FINAL WHERE kind = 'channel'
	UNION ALL
	SELECT c.channel_id, r.last FROM channels AS c INNER JOIN (SELECT id, last FROM removals FINAL WHERE kind = 'guild') AS r ON r.id = c.guild_id
) GROUP BY channel_id`

// shown says that a row of the state, alone or merged, is of a message that a delete takes and that does not have it yet.
const shown = `tupleElement(s.author, 'rank') >= 0 AND -s.inv < tupleElement(v.d, 'version')
AND (tupleElement(s.deleted, 'rank') < 1 OR tupleElement(s.deleted, 'rank') = 1 AND tupleElement(s.deleted, 'version') < tupleElement(v.d, 'version'))`

// pending is a delete of a channel or guild that has not been written into the state yet.
type pending struct {
	Kind    string `json:"kind"`
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
}

// remove writes deletes of channels and guilds into a shard's state, as far as what is new gives reason to. all: whatever is
// new, look at everything. Every shard has the deletes of all channels, and those which it has applied.
func (s *shard) remove(ctx context.Context, all bool) error {
	n := s.news
	if n.removals != "" || all {
		var err error
		if s.removals, err = count(ctx, s.client, "removals"); err != nil {
			return err
		}
	}
	if s.removals == 0 {
		return nil
	}
	var todo []pending
	if n.removals != "" || all {
		var err error
		if todo, err = s.pending(ctx); err != nil {
			return err
		}
	}
	channels, err := s.affected(ctx, todo, n, all)
	if err != nil {
		return err
	}
	for _, some := range chunks(channels, perQuery) {
		if err := s.write(ctx, some); err != nil {
			return err
		}
	}
	return s.applied(ctx, todo)
}

func (s *shard) pending(ctx context.Context) ([]pending, error) {
	rows, err := chhttp.Select[pending](ctx, s.client,
		"SELECT kind, id, tupleElement(last, 'version') AS version FROM removals FINAL WHERE tupleElement(last, 'version') > applied")
	if err != nil {
		return nil, fmt.Errorf("read deletes of channels: %w", err)
	}
	return rows, nil
}

// affected lists the channels to look at: those of deletes that are new, those that were seen in a deleted guild since
// the last look, and those of which new parts of the state show a message that should be deleted.
func (s *shard) affected(ctx context.Context, todo []pending, n parts, all bool) ([]int64, error) {
	var queries []string
	if len(todo) > 0 {
		var guilds, channels []string
		for _, p := range todo {
			list := &channels
			if p.Kind == "guild" {
				list = &guilds
			}
			*list = append(*list, strconv.FormatInt(p.ID, 10))
		}
		if len(channels) > 0 {
			queries = append(queries, "SELECT arrayJoin(["+strings.Join(channels, ",")+"]) AS channel_id")
		}
		if len(guilds) > 0 {
			queries = append(queries, "SELECT channel_id FROM channels WHERE guild_id IN ("+strings.Join(guilds, ",")+")")
		}
	}
	if n.channels != "" {
		queries = append(queries, "SELECT channel_id FROM channels WHERE "+n.channels+" AND guild_id IN (SELECT id FROM removals WHERE kind = 'guild')")
	}
	if where := n.state; where != "" || all {
		if all {
			where = "1"
		}
		queries = append(queries, "SELECT s.channel_id AS channel_id FROM state AS s INNER JOIN ("+covers+") AS v ON v.channel_id = s.channel_id WHERE "+where+
			" AND s.channel_id IN (SELECT channel_id FROM ("+covers+")) AND "+shown)
	}
	if len(queries) == 0 {
		return nil, nil
	}
	type channel struct {
		ID int64 `json:"channel_id"`
	}
	rows, err := chhttp.Select[channel](ctx, s.client, "SELECT DISTINCT channel_id FROM ("+strings.Join(queries, "\nUNION ALL ")+")")
	if err != nil {
		return nil, fmt.Errorf("look for messages of deleted channels: %w", err)
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids, nil
}

// write inserts a delete for each message of these channels that should have one and has not. It lies where the message
// does, so that it goes with it; a channel's messages may lie in many partitions.
func (s *shard) write(ctx context.Context, channels []int64) error {
	list := make([]string, len(channels))
	for i, c := range channels {
		list[i] = strconv.FormatInt(c, 10)
	}
	in := strings.Join(list, ",")
	err := s.client.Exec(ctx, `INSERT INTO state (channel_id, inv, ref_hash, late, week, deleted)
SELECT s.channel_id, s.inv, s.ref_hash, s.late, s.week, (1, tupleElement(v.d, 'version'), tupleElement(v.d, 'policy'), 1, tupleElement(v.d, 'at'))
FROM state AS s FINAL INNER JOIN (`+covers+`) AS v ON v.channel_id = s.channel_id
WHERE s.channel_id IN (`+in+`) AND `+shown+`
SETTINGS max_partitions_per_insert_block = 0, optimize_on_insert = 0, async_insert = 0`)
	if err != nil {
		return fmt.Errorf("delete the messages of %d deleted channels: %w", len(channels), err)
	}
	return nil
}

// applied records that these deletes are in the state.
func (s *shard) applied(ctx context.Context, done []pending) error {
	if len(done) == 0 {
		return nil
	}
	values := make([]string, len(done))
	for i, p := range done {
		values[i] = fmt.Sprintf("(%s, %d, %d)", chhttp.Quote(p.Kind), p.ID, p.Version)
	}
	if err := s.client.Exec(ctx, "INSERT INTO removals (kind, id, applied) VALUES "+strings.Join(values, ", ")); err != nil {
		return fmt.Errorf("mark %d deletes of channels as done: %w", len(done), err)
	}
	return nil
}

func count(ctx context.Context, c *chhttp.Client, from string) (int64, error) {
	type n struct {
		N int64 `json:"n"`
	}
	rows, err := chhttp.Select[n](ctx, c, "SELECT count() AS n FROM "+from)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", from, err)
	}
	if len(rows) != 1 {
		return 0, fmt.Errorf("count %s: %d rows", from, len(rows))
	}
	return rows[0].N, nil
}
