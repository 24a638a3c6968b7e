package verify

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/sinks/resolver"
)

// ClickHouse is the hot store behind its views.
type ClickHouse struct{ Client *chhttp.Client }

// hotQuery gives each message as six fixed numbers; texts as their hash.
const hotQuery = `SELECT channel_id, message_id, if(isNull(message_ref), 0, xxh3(assumeNotNull(message_ref))), xxh3(content),
toInt64(ifNull(user_id, 0)), toUInt8(isNotNull(deleted_at)) FROM messages_all FORMAT RowBinary`

const hotRowBytes = 5*8 + 1

// Messages is part of Hot.
func (c ClickHouse) Messages(ctx context.Context, f func(HotMessage) error) error {
	body, err := c.Client.Stream(ctx, hotQuery)
	if err != nil {
		return err
	}
	defer body.Close()
	in := bufio.NewReaderSize(body, 1<<20)
	var row [hotRowBytes]byte
	for {
		_, err := io.ReadFull(in, row[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read messages_all: %w", err)
		}
		num := func(i int) uint64 { return binary.LittleEndian.Uint64(row[8*i:]) }
		m := HotMessage{
			Key:     MessageKey{Channel: int64(num(0)), Message: int64(num(1)), Hash: num(2)},
			Content: num(3), User: int64(num(4)), Deleted: row[40] == 1,
		}
		if err := f(m); err != nil {
			return err
		}
	}
}

// Waiting is part of Hot.
func (c ClickHouse) Waiting(ctx context.Context) (int64, error) { return resolver.Waiting(ctx, c.Client) }
