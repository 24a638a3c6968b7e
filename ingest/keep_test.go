package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// keeper keeps the batches it is given, and the dead letters.
type keeper struct {
	*memory
	batches []*schemas.Batch
	dead    []schemas.DeadLetter
}

func (k *keeper) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	b.Keep()
	k.batches, k.dead = append(k.batches, b), append(k.dead, dead...)
	return k.memory.Write(ctx, b, r, dead)
}

// What a sink has kept stays as it was, though the memory of fetches is used again: rows and dead letters have nothing
// of it.
func TestKeptBatchesStay(t *testing.T) {
	const n = 6000
	topic := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerBatchMaxBytes(20_000))
	value := func(i int) string {
		if i%100 == 99 {
			return fmt.Sprintf("not an event %d", i)
		}
		return fmt.Sprintf(`{"event_id":"%d","channel_id":"c%d","user_name":"u%d","content":"hello %d"}`, schemas.DiscordEpoch.ID(1_700_000_000_000+int64(i), 0), i%7, i%11, i)
	}
	for i := range n {
		c.Produce(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value(i))}, nil)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := &keeper{memory: newMemory()}
	cfg := config(t, topic, testkit.Name(t), k)
	cfg.MaxPoll = 50
	r := run(t, cfg)
	waitRows(t, k.memory, n-n/100)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, b := range k.batches {
		for i, o := range b.Offset {
			got := b.String(b.Content[i]) + b.String(b.ChannelRef[i]) + b.String(b.UserName[i])
			if want := fmt.Sprintf("hello %dc%du%d", o, o%7, o%11); got != want {
				t.Fatalf("offset %d: %q, want %q", o, got, want)
			}
			rows++
		}
		b.Release()
	}
	for _, d := range k.dead {
		if want := value(int(d.Offset)); string(d.Value) != want {
			t.Fatalf("dead letter %d: %q, want %q", d.Offset, d.Value, want)
		}
	}
	if rows != n-n/100 || len(k.dead) != n/100 {
		t.Errorf("%d rows and %d dead letters", rows, len(k.dead))
	}
}
