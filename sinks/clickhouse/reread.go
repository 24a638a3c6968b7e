package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// rereadTimeout bounds the search for a record that a dead letter is about.
const rereadTimeout = 15 * time.Second

// reread fetches the record of a dead letter again, so that it carries the original bytes: blocks do not keep them. A
// record that the topic no longer holds leaves the letter without a value, and says so in its error.
func reread(ctx context.Context, opts []kgo.Opt, d *schemas.DeadLetter) error {
	if len(opts) == 0 {
		d.Error += " (the record was not read again: no broker is configured for it)"
		return nil
	}
	at := map[string]map[int32]kgo.Offset{d.Topic: {d.Partition: kgo.NewOffset().At(d.Offset)}}
	client, err := kgo.NewClient(append(opts[:len(opts):len(opts)], kgo.ConsumePartitions(at),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxBytes(1<<20))...)
	if err != nil {
		return fmt.Errorf("read it again: %w", err)
	}
	defer client.Close()
	limited, cancel := context.WithTimeout(ctx, rereadTimeout)
	defer cancel()
	fetches := client.PollRecords(limited, 1)
	for r := range fetches.RecordsAll() {
		if r.Offset == d.Offset {
			d.Key, d.Value, d.Time = r.Key, r.Value, r.Timestamp
			return nil
		}
	}
	err = fetches.Err0()
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, kerr.OffsetOutOfRange) {
			err = e.Err
		}
	}
	if errors.Is(err, kerr.OffsetOutOfRange) || err == nil && !fetches.Empty() {
		d.Error += " (the topic no longer holds the record)"
		return nil
	}
	return fmt.Errorf("read it again: %w", cmp.Or(err, context.DeadlineExceeded))
}
