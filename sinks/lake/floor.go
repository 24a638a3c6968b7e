package lake

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
)

// openPatience is how long transactions that are open in topic chunks are waited for: twice as long as a worker lets its own
// live. Then whoever runs the pipeline hears of them, and the membership begins again.
const openPatience = 30 * time.Second

// Floor tells a pipeline where the table stands, counting the records in topic chunks that are not in it yet, and
// registers sources that the table does not know. Its result is ingest.FloorFunc.
func Floor(t *lake.Table, client []kgo.Opt, chunks string) func(context.Context, []schemas.Source) ([]schemas.Start, error) {
	return func(ctx context.Context, sources []schemas.Source) ([]schemas.Start, error) {
		numbers := map[string]int{}
		starts := make([]schemas.Start, len(sources))
		for i, s := range sources {
			n, known := numbers[s.TopicID]
			if !known {
				var err error
				if n, err = t.EnsureSource(ctx, lake.Source{Cluster: s.Cluster, Topic: s.Topic, TopicID: s.TopicID}); err != nil {
					return nil, again(fmt.Errorf("source %s: %w", s.Topic, err))
				}
				numbers[s.TopicID] = n
			}
			starts[i].Source = s
			starts[i].Index = int32(n)
		}
		bound, cancel := context.WithTimeout(ctx, openPatience)
		position, err := t.PositionAtEnd(bound, client, chunks)
		cancel()
		if err != nil {
			return nil, again(err)
		}
		for i, s := range sources {
			next, ok := position.Next(s.Cluster, s.TopicID, s.Partition)
			if !ok {
				next = -1
			}
			starts[i].Offset = next
		}
		return starts, nil
	}
}

// again marks an error that waiting may mend, as a store that is away.
func again(err error) error {
	if lake.IsFinal(err) {
		return err
	}
	return fmt.Errorf("%w: %w", schemas.ErrRewind, err)
}
