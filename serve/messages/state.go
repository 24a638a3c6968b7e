package messages

import (
	"cmp"
	"slices"
	"time"
)

// The rows of the state table are asked for as they lie in its parts, and merged here as the table's engine merges them:
// of each column the greatest value. FINAL reads a page's whole window before it gives the first row, and takes, as
// grouping does, a good part of a short query's time to be planned.
const (
	columns    = "inv, channel_id, ref_hash, guild, author, content, deleted, extra, message_ref, channel_ref"
	withSearch = columns + ", search"
)

// part is what every mutable part of a message begins with.
type part struct {
	Rank    int8   `json:"rank"`
	Version int64  `json:"version"`
	Policy  uint32 `json:"policy"`
}

func (a part) compare(b part) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Policy, b.Policy))
}

type guild struct {
	Known uint8  `json:"known"`
	ID    int64  `json:"id"`
	Ref   string `json:"ref"`
}

func (a guild) compare(b guild) int {
	return cmp.Or(cmp.Compare(a.Known, b.Known), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Ref, b.Ref))
}

type author struct {
	part
	ID    int64     `json:"id"`
	Ref   string    `json:"ref"`
	Known uint8     `json:"known"`
	At    time.Time `json:"at"`
}

func (a author) compare(b author) int {
	return cmp.Or(a.part.compare(b.part), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Known, b.Known), a.At.Compare(b.At))
}

type content struct {
	part
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

func (a content) compare(b content) int {
	return cmp.Or(a.part.compare(b.part), cmp.Compare(a.Text, b.Text), a.At.Compare(b.At))
}

type deleted struct {
	part
	Flag uint8     `json:"flag"`
	At   time.Time `json:"at"`
}

func (a deleted) compare(b deleted) int {
	return cmp.Or(a.part.compare(b.part), cmp.Compare(a.Flag, b.Flag), a.At.Compare(b.At))
}

type extra struct {
	part
	JSON string `json:"json"`
}

func (a extra) compare(b extra) int {
	return cmp.Or(a.part.compare(b.part), cmp.Compare(a.JSON, b.JSON))
}

type searched struct {
	part
	Text string `json:"text"`
}

func (a searched) compare(b searched) int {
	return cmp.Or(a.part.compare(b.part), cmp.Compare(a.Text, b.Text))
}

// row is a row of the state table, and after merging a message's state. Its parts are compared in the order in which
// schemas/clickhouse/migrations declares their elements.
type row struct {
	Inv        int64    `json:"inv"`
	Channel    int64    `json:"channel_id"`
	RefHash    uint64   `json:"ref_hash"`
	Guild      guild    `json:"guild"`
	Author     author   `json:"author"`
	Content    content  `json:"content"`
	Deleted    deleted  `json:"deleted"`
	Extra      extra    `json:"extra"`
	Search     searched `json:"search"` // if it was asked for
	MessageRef string   `json:"message_ref"`
	ChannelRef string   `json:"channel_ref"`
}

// order is newest first, and then as the table's key has it.
func (w *row) order(o *row) int {
	return cmp.Or(cmp.Compare(w.Inv, o.Inv), cmp.Compare(w.Channel, o.Channel), cmp.Compare(w.RefHash, o.RefHash))
}

// merge takes what is greater in another row of the same message.
func (w *row) merge(o *row) {
	w.Guild = greatest(w.Guild, o.Guild, guild.compare)
	w.Author = greatest(w.Author, o.Author, author.compare)
	w.Content = greatest(w.Content, o.Content, content.compare)
	w.Deleted = greatest(w.Deleted, o.Deleted, deleted.compare)
	w.Extra = greatest(w.Extra, o.Extra, extra.compare)
	w.Search = greatest(w.Search, o.Search, searched.compare)
	w.MessageRef = max(w.MessageRef, o.MessageRef)
	w.ChannelRef = max(w.ChannelRef, o.ChannelRef)
}

func greatest[T any](a, b T, compare func(a, b T) int) T {
	if compare(b, a) > 0 {
		return b
	}
	return a
}

// mergeRows merges rows in place, newest first.
func mergeRows(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int { return a.order(&b) })
	out := rows[:0]
	for i := range rows {
		if n := len(out); n > 0 && out[n-1].order(&rows[i]) == 0 {
			out[n-1].merge(&rows[i])
		} else {
			out = append(out, rows[i])
		}
	}
	return out
}

// seen are the messages of the states that a reader may see, and that keep, unless it is nil, lets through.
func seen(states []row, keep func(*row) bool) []Message {
	out := make([]Message, 0, len(states))
	for i := range states {
		if w := &states[i]; w.visible() && (keep == nil || keep(w)) {
			out = append(out, w.message())
		}
	}
	return out
}
