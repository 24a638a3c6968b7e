package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/schemas"
)

// fieldNames are what may be expected: what became of an event, and its fields.
var fieldNames = map[string]bool{
	"dropped": true, "dead": true, "routed": true, "leaves": true, "redactions": true,
	"event_id": true, "type": true, "guild_id": true, "channel_id": true, "message_id": true, "user_id": true, "content": true,
	"timestamp": true, "guild_name": true, "channel_name": true, "user_name": true, "extra": true,
}

func didYouMean(name string) string {
	return config.DidYouMean(name, slices.Sorted(maps.Keys(fieldNames)))
}

// firstID is the time of the ids of events that have none.
var firstID = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// document is an event's JSON. One without an id gets one, of its own, and a creation without a channel the channel 1.
func document(n *yaml.Node, number int64) ([]byte, error) {
	event, ok := plain(n).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the names of an event's fields are texts")
	}
	if _, ok := event["event_id"]; !ok {
		event["event_id"] = strconv.FormatInt(schemas.DiscordEpoch.ID(firstID.UnixMilli()+number, 0), 10)
	}
	_, channel := event["channel_id"]
	if _, target := event["target_message_id"]; !channel && !target {
		event["channel_id"] = "1"
	}
	return json.Marshal(event)
}

// plain is a YAML value as JSON knows it. Times stay the texts that they are written as.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i := range n.Content {
			list[i] = plain(n.Content[i])
		}
		return list
	case yaml.AliasNode:
		return plain(n.Alias)
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int":
		return json.Number(n.Value)
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// same compares values as JSON does. A number equals a text of its digits: ids may be written either way.
func same(want, got any) bool {
	if w, ok := want.(json.Number); ok {
		want = w.String()
	}
	if g, ok := got.(json.Number); ok {
		got = g.String()
	}
	switch w := want.(type) {
	case nil:
		return got == nil
	case map[string]any:
		g, ok := got.(map[string]any)
		return ok && maps.EqualFunc(w, g, same)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, same)
	case float64:
		return strconv.FormatFloat(w, 'g', -1, 64) == fmt.Sprint(got)
	}
	return want == got
}
