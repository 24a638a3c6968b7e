package resolver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// Waiter is an event that waits, as people see it.
type Waiter struct {
	EventID   string    `json:"event_id"` // empty for a delete of a channel or guild
	Type      string    `json:"type"`
	Target    string    `json:"target"`            // the message's id, or the channel's or guild's
	Channel   string    `json:"channel,omitempty"` // where the event names it
	Topic     string    `json:"topic,omitempty"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Since     time.Time `json:"since"` // by the clock of ClickHouse; of a delete of a channel or guild its own time
}

// ID is topic:partition:offset, as a dead letter has it; of a delete of a channel or guild its number.
func (w Waiter) ID() string {
	if w.Whole() {
		return w.Target
	}
	return fmt.Sprintf("%s:%d:%d", w.Topic, w.Partition, w.Offset)
}

// Whole reports a delete of a whole channel or guild.
func (w Waiter) Whole() bool { return w.Topic == "" }

// List gives at most limit events that wait, oldest first; 0 means all.
func List(ctx context.Context, c *chhttp.Client, limit int) ([]Waiter, error) {
	type row struct {
		Waiter
		Event string `json:"event"`
		Ms    int64  `json:"ms"`
	}
	end := ""
	if limit > 0 {
		end = fmt.Sprint("\nLIMIT ", limit)
	}
	rows, err := chhttp.Select[row](ctx, c, `SELECT * FROM (
SELECT event_id, event, target, topic, partition, offset, toUnixTimestamp64Milli(written) AS ms, '' AS type
FROM unresolved FINAL WHERE status = 0
UNION ALL
SELECT '', '', if(ref != '', ref, toString(id)), '', 0, 0, toUnixTimestamp64Milli(CAST(tupleElement(last, 'at'), 'DateTime64(3, \'UTC\')')), concat(toString(kind), '.deleted')
FROM removals FINAL WHERE tupleElement(last, 'version') > applied)
ORDER BY ms, topic, partition, offset`+end)
	if err != nil {
		return nil, fmt.Errorf("list what waits for the resolver: %w", err)
	}
	out := make([]Waiter, len(rows))
	for i, r := range rows {
		out[i] = r.Waiter
		out[i].Since = time.UnixMilli(r.Ms).UTC()
		if r.Event == "" {
			continue
		}
		var event struct {
			Type    string `json:"type"`
			Channel string `json:"channel_id"`
		}
		if err := json.Unmarshal([]byte(r.Event), &event); err != nil {
			return nil, fmt.Errorf("event %s that waits: %w", r.EventID, err)
		}
		out[i].Type, out[i].Channel = event.Type, event.Channel
	}
	return out, nil
}
