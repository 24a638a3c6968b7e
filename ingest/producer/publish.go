package producer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// judge decodes an event as the pipeline will.
type judge struct {
	codec codec.JSON
	batch *schemas.Batch
}

// Publish gives an event without an id a Snowflake, writes it as JSON and publishes it. An event that the pipeline would
// refuse (no channel, an opaque id without a time) is not sent: the error wraps the *schemas.Refusal. A second
// publication of an event with the same id is a repeat and changes nothing. The event is copied.
func (p *Producer) Publish(ctx context.Context, e schemas.Event) error {
	if e.EventID == "" {
		id, err := p.NewID(ctx)
		if err != nil {
			return fmt.Errorf("publish to %s: %w", p.cfg.Topic, err)
		}
		e.EventID = strconv.FormatInt(id, 10)
	}
	value := codec.AppendEvent(make([]byte, 0, 320+len(e.Content)+len(e.Extra)), &e)
	if err := p.judge(value); err != nil {
		return fmt.Errorf("publish event %s to %s: %w", e.EventID, p.cfg.Topic, err)
	}
	return p.PublishRaw(ctx, Key(&e), value)
}

func (p *Producer) judge(value []byte) error {
	j := p.judges.Get().(*judge)
	defer p.judges.Put(j)
	j.batch.Reset()
	return j.codec.Decode(j.batch, value, codec.Origin{Time: -1})
}

// Key is the key of an event's record: its channel, else its target, else its own id.
func Key(e *schemas.Event) []byte {
	switch {
	case e.ChannelID != "":
		return []byte(e.ChannelID)
	case e.MessageID != "" && schemas.ParseType(e.Type) != schemas.TypeCreated:
		return []byte(e.MessageID)
	default:
		return []byte(e.EventID)
	}
}
