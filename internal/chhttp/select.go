package chhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Select runs a query and returns its rows; column names are the JSON names of T's fields. 64-bit numbers arrive as
// numbers and are read exactly into 64-bit fields. The whole result is held in memory.
func Select[T any](ctx context.Context, c *Client, sql string) ([]T, error) {
	d := *c
	d.config.Settings = map[string]string{"output_format_json_quote_64bit_integers": "0"}
	for k, v := range c.config.Settings {
		d.config.Settings[k] = v
	}
	answer, err := d.Query(ctx, sql+"\nFORMAT JSONEachRow")
	if err != nil {
		return nil, err
	}
	var rows []T
	for r := json.NewDecoder(bytes.NewReader(answer)); ; {
		var row T
		switch err := r.Decode(&row); {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, fmt.Errorf("clickhouse: row %d of the answer: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
}
