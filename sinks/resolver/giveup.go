package resolver

import (
	"context"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// giveUp makes dead letters of what has waited too long.
func (r *Resolver) giveUp(ctx context.Context, now time.Time) error {
	var ids []string
	for id, w := range r.waiting {
		if now.UnixMilli()-w.Arrived > r.config.GiveUp.Milliseconds() {
			ids = append(ids, id)
		}
	}
	for _, some := range chunks(ids, perQuery) {
		documents, err := r.documents(ctx, some)
		if err != nil {
			return err
		}
		letters := make([]schemas.DeadLetter, 0, len(documents))
		for _, d := range documents {
			letters = append(letters, r.letter(d))
		}
		if len(letters) > 0 {
			if err := r.config.DeadLetter(ctx, letters); err != nil {
				return fmt.Errorf("dead letters of %d unresolved events: %w", len(letters), err)
			}
		}
		if err := r.mark(ctx, some, 2); err != nil {
			return err
		}
	}
	return nil
}

func (r *Resolver) letter(d document) schemas.DeadLetter {
	reason := fmt.Sprintf("target %q was not found within %v", d.Target, r.config.GiveUp)
	if n := r.waiting[d.ID].ambiguous; n > 1 {
		reason = fmt.Sprintf("target %q names %d messages: name the channel as well", d.Target, n)
	}
	return schemas.DeadLetter{
		Topic: d.Topic, Partition: d.Partition, Offset: d.Offset, Time: time.UnixMilli(d.Seen).UTC(), Value: []byte(d.Event),
		Stage: "resolve", Error: reason,
	}
}
