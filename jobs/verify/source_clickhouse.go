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

// hotQuery gives each message as fixed numbers; texts as their hash. It reads the state below the views, which show no
// versions.
const hotQuery = `SELECT channel_id, -inv, ref_hash, xxh3(tupleElement(content, 'text')),
if(tupleElement(author, 'known') = 1, tupleElement(author, 'id'), 0),
tupleElement(content, 'version'), tupleElement(deleted, 'version'), toInt64(tupleElement(content, 'policy')),
toUInt8(tupleElement(deleted, 'flag'))
FROM state FINAL WHERE tupleElement(author, 'rank') >= 0 FORMAT RowBinary`

const hotRowBytes = 8*8 + 1

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
			return fmt.Errorf("read state: %w", err)
		}
		num := func(i int) uint64 { return binary.LittleEndian.Uint64(row[8*i:]) }
		m := HotMessage{
			Key:     MessageKey{Channel: int64(num(0)), Message: int64(num(1)), Hash: num(2)},
			Content: num(3), User: int64(num(4)), ContentVersion: int64(num(5)), DeletedVersion: int64(num(6)), Policy: int64(num(7)),
			Deleted: row[64] == 1,
		}
		if err := f(m); err != nil {
			return err
		}
	}
}

// Visible is part of Hot.
func (c ClickHouse) Visible(ctx context.Context) (int64, error) {
	type count struct {
		N int64 `json:"n"`
	}
	rows, err := chhttp.Select[count](ctx, c.Client, "SELECT count() AS n FROM messages")
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 {
		return 0, fmt.Errorf("count of messages: %d rows", len(rows))
	}
	return rows[0].N, nil
}

// Waiting is part of Hot.
func (c ClickHouse) Waiting(ctx context.Context) (int64, error) {
	return resolver.Waiting(ctx, c.Client)
}
