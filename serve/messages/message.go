package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// Message is a message as it is now. Ids that are nil are not known; the refs are the texts of opaque ids, else empty.
type Message struct {
	ID, ChannelID                             int64
	GuildID, UserID                           *int64
	Content                                   string
	CreatedAt                                 time.Time
	EditedAt                                  *time.Time
	Extra                                     string // a JSON object, or empty
	MessageRef, ChannelRef, GuildRef, UserRef string
}

// The state's columns are asked for as they are, and made a message here as the view `messages` does it: planning that
// view took a third of a page's time. A test holds the two together.
const (
	columns = "inv, channel_id, guild, author, content, extra, message_ref, channel_ref"
	merged  = "inv, channel_id, max(s.guild) AS guild, max(s.author) AS author, max(s.content) AS content, max(s.extra) AS extra, max(s.deleted) AS deleted, max(s.search) AS search, " +
		"max(s.message_ref) AS message_ref, max(s.channel_ref) AS channel_ref"
	visible = "tupleElement(author, 'rank') >= 0 AND tupleElement(deleted, 'flag') = 0"
)

func byUser(id int64) string {
	return fmt.Sprintf("tupleElement(author, 'known') = 1 AND tupleElement(author, 'id') = %d", id)
}

// row is what ClickHouse answers.
type row struct {
	Inv     int64 `json:"inv"`
	Channel int64 `json:"channel_id"`
	Guild   struct {
		Known uint8  `json:"known"`
		ID    int64  `json:"id"`
		Ref   string `json:"ref"`
	} `json:"guild"`
	Author struct {
		Known uint8     `json:"known"`
		ID    int64     `json:"id"`
		Ref   string    `json:"ref"`
		At    time.Time `json:"at"`
	} `json:"author"`
	Content struct {
		Rank int8      `json:"rank"`
		Text string    `json:"text"`
		At   time.Time `json:"at"`
	} `json:"content"`
	Extra struct {
		JSON string `json:"json"`
	} `json:"extra"`
	MessageRef string `json:"message_ref"`
	ChannelRef string `json:"channel_ref"`
}

func (w *row) message() Message {
	m := Message{
		ID: -w.Inv, ChannelID: w.Channel, Content: w.Content.Text, CreatedAt: w.Author.At, Extra: w.Extra.JSON,
		MessageRef: w.MessageRef, ChannelRef: w.ChannelRef, GuildRef: w.Guild.Ref, UserRef: w.Author.Ref,
	}
	if w.Guild.Known == 1 {
		m.GuildID = &w.Guild.ID
	}
	if w.Author.Known == 1 {
		m.UserID = &w.Author.ID
	}
	if w.Content.Rank == 1 {
		m.EditedAt = &w.Content.At
	}
	return m
}

// rows asks for messages.
func (r *Reader) rows(ctx context.Context, sql string) ([]Message, error) {
	rows, err := chhttp.Select[row](ctx, r.pages, sql)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(rows))
	for i := range rows {
		out[i] = rows[i].message()
	}
	return out, nil
}
