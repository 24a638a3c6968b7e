package codec

import (
	"fmt"

	"github.com/buger/jsonparser"

	"github.com/coldstream/coldstream/schemas"
)

// BulkTargets gives the messages that a bulk delete, row i, lists: each id's text and, where known, its number. An id is
// known if it is a Snowflake; others are for the resolver. The text is valid during the call. The error of a row that
// this codec decoded is nil always: it has checked the list.
func (c *JSON) BulkTargets(b *schemas.Batch, i int, f func(text []byte, id int64, known bool)) error {
	_, err := jsonparser.ArrayEach(b.Bytes(b.Extra[i]), func(raw []byte, _ jsonparser.ValueType, _ int, _ error) {
		text := raw
		if unescaped, err := jsonparser.ParseString(raw); err == nil {
			text = []byte(unescaped)
		}
		n, decimal := schemas.ParseDecimal(text)
		f(text, n, decimal && !c.OpaqueIDs && c.Epoch.IsSnowflake(n, floorMillis(b.Time[i]), true, recordMillis(b.KafkaTime[i])))
	}, "message_ids")
	if err != nil {
		return fmt.Errorf("message_ids of event %d: %w", b.EventID[i], err)
	}
	return nil
}
