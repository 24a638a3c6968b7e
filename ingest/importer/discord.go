package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Discord publishes exports of DiscordChatExporter in its JSON format: files, or folders whose *.json files are exports.
// Ids are Discord's. A message becomes a creation and, if it was edited, an edit at that time with the same text, since
// an export has the last one only. Attachments, embeds, stickers, reactions, mentions, the message replied to and what
// else says something are kept as they are; its own type of a message is kept as discord_type.
//
// What Discord itself says of joins, pins, calls and names is skipped and counted by its type. A file is read message by
// message, so that it may be larger than memory.
func Discord(ctx context.Context, pub Publisher, paths []string, o Options) (Result, error) {
	r := newRun(pub, o)
	all, err := files(paths)
	if err != nil {
		return r.res, err
	}
	for _, path := range all {
		if !strings.EqualFold(filepath.Ext(path), ".json") && !named(paths, path) {
			r.Log.Warn("passed over: not a .json file", "file", path)
			continue
		}
		r.Note(filepath.Base(path))
		if err := r.discordFile(ctx, path); err != nil {
			return r.res, err
		}
		r.res.Files++
	}
	return r.res, nil
}

// named reports whether the user named this file itself.
func named(paths []string, file string) bool {
	for _, p := range paths {
		if c, err := canonical(p); err == nil && c == file {
			return true
		}
	}
	return false
}

// counting tells the progress of a reader.
type counting struct {
	r    io.Reader
	tell func(int64)
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.tell(int64(n))
	return n, err
}

func (r *run) discordFile(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	d := json.NewDecoder(counting{f, r.Progress})
	x := discordExport{run: r}
	if err := x.read(ctx, d); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		if errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, errShape) {
			err = fmt.Errorf("%w: not DiscordChatExporter's JSON: %w", ErrUsage, err)
		}
		return fmt.Errorf("import stopped at %s, after message %s: %w", path, x.last, err)
	}
	return nil
}

var errShape = errors.New("want an object with guild, channel and messages, in this order")

type discordExport struct {
	*run
	guild, channel struct{ ID, Name string }
	seen           bool   // guild and channel
	messages       bool   // the list was there
	last           string // id of the last message read, for errors
}

func (x *discordExport) read(ctx context.Context, d *json.Decoder) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return errShape
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		switch name {
		case "guild":
			err = d.Decode(&x.guild)
		case "channel":
			err = d.Decode(&x.channel)
			x.seen = true
		case "messages":
			err = x.list(ctx, d)
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	if !x.messages {
		return errShape
	}
	_, err := d.Token()
	return err
}

func (x *discordExport) list(ctx context.Context, d *json.Decoder) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('[') || !x.seen || x.channel.ID == "" {
		return errShape
	}
	x.messages = true
	for d.More() {
		var m discordMessage
		if err := d.Decode(&m); err != nil {
			return err
		}
		x.res.Lines++
		x.last = m.ID
		if err := x.message(ctx, &m); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

type discordMessage struct {
	ID              string
	Type            string
	Timestamp       string
	TimestampEdited string
	Content         string
	IsPinned        json.RawMessage
	Author          struct{ ID, Name, Nickname, Discriminator string }
	Attachments     json.RawMessage
	Embeds          json.RawMessage
	Stickers        json.RawMessage
	Reactions       json.RawMessage
	Mentions        json.RawMessage
	Reference       json.RawMessage
	ForwardedFrom   json.RawMessage `json:"forwardedMessage"`
	Interaction     json.RawMessage
}

// discordSystem are the types of messages that Discord writes itself.
var discordSystem = map[string]bool{
	"RecipientAdd": true, "RecipientRemove": true, "Call": true, "ChannelNameChange": true, "ChannelIconChange": true,
	"ChannelPinnedMessage": true, "GuildMemberJoin": true, "ThreadCreated": true, "ThreadStarterMessage": true,
}

func (x *discordExport) message(ctx context.Context, m *discordMessage) error {
	if discordSystem[m.Type] {
		x.skip(m.Type)
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, m.Timestamp)
	if m.ID == "" || err != nil {
		return fmt.Errorf("%w: message %q has the timestamp %q", errShape, m.ID, m.Timestamp)
	}
	e := &schemas.Event{
		EventID: m.ID, Type: typeCreated, ChannelID: x.channel.ID, MessageID: m.ID, UserID: m.Author.ID,
		Content: m.Content, HasContent: true, Time: at,
		ChannelName: x.channel.Name, UserName: m.Author.Name, Extra: m.extra(),
	}
	if x.guild.ID != "0" { // direct messages
		e.GuildID, e.GuildName = x.guild.ID, x.guild.Name
	}
	if err := x.event(ctx, e); err != nil || m.TimestampEdited == "" {
		return err
	}
	edited, err := time.Parse(time.RFC3339Nano, m.TimestampEdited)
	if err != nil {
		return fmt.Errorf("%w: message %s has the timestampEdited %q", errShape, m.ID, m.TimestampEdited)
	}
	return x.event(ctx, editOf(e, edited))
}

func (m *discordMessage) extra() []byte {
	var x extras
	if m.Type != "Default" {
		x.text("discord_type", m.Type)
	}
	if m.Author.Nickname != m.Author.Name {
		x.text("nickname", m.Author.Nickname)
	}
	if m.Author.Discriminator != "0000" {
		x.text("discriminator", m.Author.Discriminator)
	}
	x.raw("is_pinned", m.IsPinned)
	x.raw("attachments", m.Attachments)
	x.raw("embeds", m.Embeds)
	x.raw("stickers", m.Stickers)
	x.raw("reactions", m.Reactions)
	x.raw("mentions", m.Mentions)
	x.raw("reference", m.Reference)
	x.raw("forwarded_message", m.ForwardedFrom)
	x.raw("interaction", m.Interaction)
	return x.object()
}
