package importer

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Slack publishes exports of Slack: the .zip as it came, or the folder unpacked from it. Channel, user and team ids are
// Slack's. A message's event id is the opaque text CHANNEL:TS, its time TS; two messages of one millisecond are told
// apart by putting the later one a millisecond after. An edited message becomes a creation and an edit at that time with
// the same text, since an export has the last one only. Text stays as it is: mentions are <@U…>, and & < > are escaped.
// thread_ts, attachments, blocks, files, reactions, bot names and the subtype are kept.
//
// Joins, topics, pins and what else Slack writes itself is skipped and counted by subtype. Private channels and direct
// messages are read where the export has them (groups.json, dms.json, mpims.json). A day's file is read as a whole.
func Slack(ctx context.Context, pub Publisher, paths []string, o Options) (Result, error) {
	r := newRun(pub, o)
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return r.res, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if info.IsDir() {
			if err := r.slackExport(ctx, p, os.DirFS(p)); err != nil {
				return r.res, err
			}
			continue
		}
		if err := r.slackZip(ctx, p); err != nil {
			return r.res, err
		}
	}
	return r.res, nil
}

func (r *run) slackZip(ctx context.Context, name string) error {
	z, err := zip.OpenReader(name)
	if err != nil {
		return fmt.Errorf("%w: %s: want Slack's export, a .zip or the folder unpacked from it: %w", ErrUsage, name, err)
	}
	defer z.Close()
	return r.slackExport(ctx, name, z)
}

// slackExport is one export.
type slackExport struct {
	*run
	fsys     fs.FS
	teams    map[string]string // user → team
	names    map[string]string // user → name
	team     string            // of the first user that has one: bots have none
	channels []slackChannel
}

type slackChannel struct {
	ID, Name string
	dir      string
	last     int64 // Unix milliseconds of the last message
}

func (r *run) slackExport(ctx context.Context, name string, fsys fs.FS) error {
	x := &slackExport{run: r, fsys: fsys, teams: map[string]string{}, names: map[string]string{}}
	if err := x.index(); err != nil {
		return fmt.Errorf("import %s: %w", name, err)
	}
	for i := range x.channels {
		c := &x.channels[i]
		days, err := fs.Glob(fsys, globQuote(c.dir)+"/*.json")
		if err != nil {
			return fmt.Errorf("import %s: list %s: %w", name, c.dir, err)
		}
		slices.Sort(days)
		for _, day := range days {
			r.Note(day)
			if err := x.day(ctx, c, day); err != nil {
				return fmt.Errorf("import stopped at %s: %w", filepath.Join(name, day), err)
			}
			r.res.Files++
		}
	}
	return nil
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// index reads who and what there is.
func (x *slackExport) index() error {
	if err := x.users(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	some := false
	for _, name := range []string{"channels.json", "groups.json", "mpims.json", "dms.json"} {
		var list []slackChannel
		err := x.decode(name, &list)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		some = true
		for _, c := range list {
			c.dir = orElse(c.Name, c.ID)
			x.channels = append(x.channels, c)
		}
	}
	if !some {
		return fmt.Errorf("%w: no channels.json: want Slack's export, a .zip or the folder unpacked from it", ErrUsage)
	}
	return nil
}

func (x *slackExport) users() error {
	var users []struct {
		ID, Name string
		TeamID   string `json:"team_id"`
		RealName string `json:"real_name"`
		Profile  struct {
			DisplayName string `json:"display_name"`
			RealName    string `json:"real_name"`
		}
	}
	if err := x.decode("users.json", &users); err != nil {
		return err
	}
	for _, u := range users {
		x.teams[u.ID] = u.TeamID
		x.team = orElse(x.team, u.TeamID)
		x.names[u.ID] = orElse(u.Profile.DisplayName, u.Name, u.Profile.RealName, u.RealName)
	}
	return nil
}

func (x *slackExport) decode(name string, into any) error {
	data, err := fs.ReadFile(x.fsys, name)
	if err != nil {
		return err
	}
	x.Progress(int64(len(data)))
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %s is not as Slack writes it: %w", ErrUsage, name, err)
	}
	return nil
}

type slackMessage struct {
	Type, Subtype, TS, User, Text, Team, Username string
	BotID                                         string `json:"bot_id"`
	ThreadTS                                      string `json:"thread_ts"`
	Edited                                        *struct{ User, TS string }
	Attachments, Blocks, Files, Reactions         json.RawMessage
	ReplyCount                                    json.RawMessage       `json:"reply_count"`
	ParentUserID                                  string                `json:"parent_user_id"`
	BotProfile                                    struct{ Name string } `json:"bot_profile"`
	UserProfile                                   struct {
		Name        string
		DisplayName string `json:"display_name"`
		Team        string
	} `json:"user_profile"`
}

// slackMessages are the subtypes that are messages of people and bots; all others are Slack's own.
var slackMessages = map[string]bool{
	"": true, "bot_message": true, "me_message": true, "thread_broadcast": true, "reply_broadcast": true, "file_share": true,
	"file_comment": true, "file_mention": true, "slackbot_response": true, "assistant_app_thread": true,
}

func (x *slackExport) day(ctx context.Context, c *slackChannel, name string) error {
	var messages []slackMessage
	if err := x.decode(name, &messages); err != nil {
		return err
	}
	times := make(map[string]time.Time, len(messages))
	for _, m := range messages {
		t, err := slackTime(m.TS)
		if err != nil {
			return fmt.Errorf("%w: %s: a message of %s: %w", ErrUsage, path.Base(name), m.User, err)
		}
		times[m.TS] = t
	}
	slices.SortStableFunc(messages, func(a, b slackMessage) int { return times[a.TS].Compare(times[b.TS]) })
	for i := range messages {
		x.res.Lines++
		if err := x.message(ctx, c, &messages[i], times[messages[i].TS]); err != nil {
			return fmt.Errorf("message %s: %w", messages[i].TS, err)
		}
	}
	return nil
}

func (x *slackExport) message(ctx context.Context, c *slackChannel, m *slackMessage, at time.Time) error {
	switch {
	case m.Type != "message":
		x.skip(orElse(m.Type, "other"))
		return nil
	case !slackMessages[m.Subtype]:
		x.skip(m.Subtype)
		return nil
	}
	if ms := at.UnixMilli(); ms <= c.last {
		at = time.UnixMilli(c.last + 1)
	}
	c.last = at.UnixMilli()
	user := orElse(m.User, m.BotID)
	e := &schemas.Event{
		EventID: c.ID + ":" + m.TS, Type: typeCreated, GuildID: orElse(m.Team, m.UserProfile.Team, x.teams[m.User], x.team),
		ChannelID: c.ID, UserID: user, Content: m.Text, HasContent: true, Time: at, ChannelName: c.Name,
		UserName: orElse(x.names[user], m.UserProfile.DisplayName, m.UserProfile.Name, m.Username, m.BotProfile.Name), Extra: m.extra(),
	}
	e.MessageID = e.EventID
	if err := x.event(ctx, e); err != nil || m.Edited == nil {
		return err
	}
	edited, err := slackTime(m.Edited.TS)
	if err != nil {
		return fmt.Errorf("%w: edited: %w", ErrUsage, err)
	}
	edit := editOf(e, edited)
	if m.Edited.User != "" {
		edit.UserID, edit.UserName = m.Edited.User, x.names[m.Edited.User]
	}
	return x.event(ctx, edit)
}

func (m *slackMessage) extra() []byte {
	var x extras
	x.text("subtype", m.Subtype)
	x.text("ts", m.TS)
	x.text("thread_ts", m.ThreadTS)
	x.text("parent_user_id", m.ParentUserID)
	x.raw("reply_count", m.ReplyCount)
	x.text("bot_id", m.BotID)
	x.raw("attachments", m.Attachments)
	x.raw("blocks", m.Blocks)
	x.raw("files", m.Files)
	x.raw("reactions", m.Reactions)
	return x.object()
}

func orElse(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// slackTime reads 1355517523.000005: seconds, and microseconds or a counter within the second.
func slackTime(ts string) (time.Time, error) {
	sec, frac, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(sec, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the ts %q is not a time", ts)
	}
	us := int64(0)
	if frac != "" {
		if us, err = strconv.ParseInt((frac + "000000")[:6], 10, 64); err != nil || us < 0 {
			return time.Time{}, fmt.Errorf("the ts %q is not a time", ts)
		}
	}
	return time.UnixMicro(s*1_000_000 + us).UTC(), nil
}
