package messages

import (
	"time"
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

// visible says whether a reader may see it, as the view `messages` says it.
func (w *row) visible() bool { return w.Author.Rank >= 0 && w.Deleted.Flag == 0 }

// by says whether the message is known to be of a user.
func (w *row) by(user int64) bool { return w.Author.Known == 1 && w.Author.ID == user }

// message makes a message of a state as the view `messages` does it: planning that view took a third of a page's time. A
// test holds the two together.
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
