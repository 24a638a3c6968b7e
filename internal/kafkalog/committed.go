package kafkalog

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// patience is how long a broker may need to know who keeps a group's offsets: it loads them after its own start, and makes
// their topic at the first question.
const patience = 30 * time.Second

// Committed gives the offsets of a topic that a group has committed, by partition; a partition without one is not there.
// While the broker cannot say yet, it is asked again.
func Committed(ctx context.Context, adm *kadm.Client, group, topic string) (map[int32]int64, error) {
	for began, wait := time.Now(), 50*time.Millisecond; ; wait = min(2*wait, time.Second) {
		at, err := committed(ctx, adm, group, topic)
		if !kerr.IsRetriable(err) || time.Since(began) > patience {
			return at, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

func committed(ctx context.Context, adm *kadm.Client, group, topic string) (map[int32]int64, error) {
	offsets, err := adm.FetchOffsetsForTopics(ctx, group, topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	out := map[int32]int64{}
	for p, o := range offsets[topic] {
		if o.Err != nil {
			return nil, fmt.Errorf("offset of group %s, partition %d: %w", group, p, o.Err)
		}
		if o.At >= 0 {
			out[p] = o.At
		}
	}
	return out, nil
}
