package topics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// awaitEvery is the pause between two looks at a topic's metadata.
const awaitEvery = 20 * time.Millisecond

// Await returns when the broker that is asked knows the topics, with a leader for each partition. A broker acknowledges
// a new topic before its own metadata shows it; whoever goes on at once is told that there is no such topic. It ends
// with ctx, and then names the topic that is missing.
func Await(ctx context.Context, adm *kadm.Client, names ...string) error {
	fresh := kadm.WithAuthorizedOps(ctx) // the one request for metadata that passes the client's cache by
	var last error                       // what was missing when last seen
	for {
		have, err := adm.ListTopics(fresh, names...)
		if err != nil {
			return errors.Join(err, last)
		}
		if last = missing(have, names); last == nil || !kerr.IsRetriable(last) {
			return last
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-time.After(awaitEvery):
		}
	}
}

// missing is the first reason why one of the topics cannot be used yet, nil if there is none.
func missing(have kadm.TopicDetails, names []string) error {
	for _, name := range names {
		t, ok := have[name]
		if !ok || len(t.Partitions) == 0 {
			return fmt.Errorf("topic %s: %w", name, errors.Join(t.Err, kerr.UnknownTopicOrPartition))
		}
		if t.Err != nil {
			return fmt.Errorf("topic %s: %w", name, t.Err)
		}
		for _, p := range t.Partitions.Sorted() {
			if p.Err != nil {
				return fmt.Errorf("topic %s, partition %d: %w", name, p.Partition, p.Err)
			}
		}
	}
	return nil
}
