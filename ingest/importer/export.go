package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

const (
	typeCreated = "message.created"
	typeEdited  = "message.edited"
)

// extras builds the JSON object of an event's further fields.
type extras struct{ dst []byte }

// raw adds a field as it stands in the export, unless it says nothing: null, false, "", [] or {}.
func (x *extras) raw(name string, value json.RawMessage) {
	value = bytes.TrimSpace(value)
	switch string(value) {
	case "", "null", "false", `""`, "[]", "{}":
		return
	}
	if len(x.dst) == 0 {
		x.dst = append(x.dst, '{')
	} else {
		x.dst = append(x.dst, ',')
	}
	x.dst = codec.AppendString(x.dst, name)
	x.dst = append(x.dst, ':')
	var compact bytes.Buffer
	if json.Compact(&compact, value) == nil {
		value = compact.Bytes()
	}
	x.dst = append(x.dst, value...)
}

func (x *extras) text(name, value string) {
	if value != "" {
		x.raw(name, codec.AppendString(nil, value))
	}
}

func (x *extras) object() []byte {
	if len(x.dst) == 0 {
		return nil
	}
	return append(x.dst, '}')
}

// editOf is the event that says when a message got the content that its export shows. An export does not have the text
// before it, so the creation shows the last text too. Its id is made of the message's and the edit's time.
func editOf(created *schemas.Event, at time.Time) *schemas.Event {
	return &schemas.Event{
		EventID: fmt.Sprintf("%s:edited:%d", created.EventID, at.UnixMicro()), Type: typeEdited,
		GuildID: created.GuildID, ChannelID: created.ChannelID, MessageID: created.MessageID, UserID: created.UserID,
		Content: created.Content, HasContent: true, Time: at,
		GuildName: created.GuildName, ChannelName: created.ChannelName, UserName: created.UserName,
	}
}
