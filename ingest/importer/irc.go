package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// IRCOptions are the options of IRC.
type IRCOptions struct {
	Options
	Guild   string         // empty: irc
	Channel string         // empty: the one in the line, else what the file's name and folder say
	Zone    *time.Location // of the log's clock; nil: UTC
}

// IRC publishes the messages of IRC logs: files, or folders of them. It knows bracketed logs ([HH:MM] or [HH:MM:SS],
// as energymech and ZNC write, with the date in the file's name; or with channel and date before the clock), irssi's and
// weechat's. A file is read twice, first to learn which of these it is.
//
// A message is a line with <nick> (weechat: with a nick in its column); its content is what follows, without white space
// at both ends, and may be empty. Its event id is the opaque text GUILD/CHANNEL/FILE:LINE, its channel GUILD/CHANNEL, its
// user GUILD/NICK. Its time is the line's, with the ordinal within its minute or second as milliseconds; see clock.
//
// Actions, notices, presence and the log's own remarks are skipped and counted by kind. A file in which no line looks
// like one of a log is passed over and named in the log. Order is kept within one file.
func IRC(ctx context.Context, pub Publisher, paths []string, o IRCOptions) (Result, error) {
	r := newRun(pub, o.Options)
	if o.Guild == "" {
		o.Guild = "irc"
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	paths, err := files(paths)
	if err != nil {
		return r.res, err
	}
	logs, err := r.surveys(ctx, paths, &o)
	if err != nil {
		return r.res, err
	}
	for _, s := range logs {
		r.Note(s.name)
		if err := r.ircFile(ctx, s, &o); err != nil {
			return r.res, err
		}
		r.res.Files++
	}
	return r.res, nil
}

// surveys looks through all files before the first record is published, so that what cannot be imported is said first.
func (r *run) surveys(ctx context.Context, paths []string, o *IRCOptions) ([]*survey, error) {
	var logs []*survey
	owners := map[string]string{}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := surveyFile(path, o.Channel)
		if err != nil {
			return nil, err
		}
		if s.format == nil {
			r.Log.Warn("passed over: no line of it looks like one of an IRC log", "file", path)
			continue
		}
		for channel := range s.channels {
			place := channel + "/" + s.name
			if other, taken := owners[place]; taken {
				return nil, fmt.Errorf("%w: %s and %s are both the file %s of channel %s, so their lines would get the same ids; rename one, or import each with a --channel or --guild of its own",
					ErrUsage, other, path, s.name, channel)
			}
			owners[place] = path
		}
		logs = append(logs, s)
	}
	return logs, nil
}

func (r *run) ircFile(ctx context.Context, s *survey, o *IRCOptions) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	w := ircWriter{run: r, survey: s, opt: o, clock: newClock(s, o.Zone)}
	for l := newLines(f); ; {
		line, size, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = w.line(ctx, line, l.n)
		}
		if err != nil {
			return fmt.Errorf("import stopped at %s:%d: %w", s.path, max(l.n, 1), err)
		}
		r.res.Lines++
		r.Progress(size)
	}
}

// ircWriter publishes the messages of one file.
type ircWriter struct {
	*run
	survey *survey
	opt    *IRCOptions
	clock  *clock
}

func (w *ircWriter) line(ctx context.Context, raw []byte, n int64) error {
	var l ircLine
	w.survey.format(utf8Text(raw), &l)
	if l.hasDate {
		w.clock.setDate(l.date)
	}
	if l.hasClock {
		w.clock.advance(l.seconds)
	}
	if l.kind != kindMessage {
		w.skip(l.kind)
		return nil
	}
	guild, channel, nick := w.opt.Guild, w.survey.channel(&l), string(l.nick)
	id := guild + "/" + channel
	return w.event(ctx, &schemas.Event{
		EventID: id + "/" + w.survey.name + ":" + strconv.FormatInt(n, 10), Type: "message.created",
		GuildID: guild, ChannelID: id, UserID: guild + "/" + nick,
		Content: string(l.text), HasContent: true, Time: w.clock.stamp(),
		GuildName: guild, ChannelName: channel, UserName: nick,
	})
}

// survey is what the first reading of a file finds.
type survey struct {
	path, name string
	format     func([]byte, *ircLine) // nil: not a log
	fixed      string                 // the channel, unless lines name theirs
	forced     bool                   // fixed is the user's word: lines are not asked
	channels   map[string]bool
	date       int64 // days since 1970; of the file's name
	hasDate    bool
	maxHour    int
}

func (s *survey) channel(l *ircLine) string {
	if len(l.channel) > 0 && !s.forced {
		return string(l.channel)
	}
	return s.fixed
}

func surveyFile(path, channel string) (*survey, error) {
	s := &survey{path: path, name: filepath.Base(path), fixed: channel, forced: channel != "", channels: map[string]bool{}}
	var atStart bool
	s.date, s.hasDate, atStart = dateInName(s.name)
	switch {
	case s.forced:
	case atStart:
		s.fixed = filepath.Base(filepath.Dir(path))
	default:
		s.fixed = s.name[:len(s.name)-len(filepath.Ext(s.name))]
		if s.fixed == "" {
			s.fixed = s.name
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	return s, s.read(f)
}

// tally is what one format makes of a file.
type tally struct {
	clocks   int // lines with a clock
	maxHour  int
	channels map[string]bool
	dated    bool
	undated  int64 // number of the first message that no date precedes; 0: none
}

func (t *tally) add(s *survey, l *ircLine, n int64) {
	t.dated = t.dated || l.hasDate
	if !l.hasClock {
		return
	}
	t.clocks++
	t.maxHour = max(t.maxHour, l.seconds/3600)
	if l.kind != kindMessage {
		return
	}
	if !t.dated && t.undated == 0 {
		t.undated = n
	}
	if c := s.channel(l); !t.channels[c] {
		t.channels[c] = true
	}
}

// read finds the format that most lines have, and what must be known of the whole file before its first line is placed.
func (s *survey) read(f io.Reader) error {
	tallies := make([]tally, len(ircFormats))
	for i := range tallies {
		tallies[i].channels = map[string]bool{}
	}
	for l := newLines(f); ; {
		line, _, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("import %s:%d: %w", s.path, l.n, err)
		}
		line = utf8Text(line)
		for i, parse := range ircFormats {
			var p ircLine
			parse(line, &p)
			tallies[i].add(s, &p, l.n)
		}
	}
	best := 0
	for i, t := range tallies {
		if t.clocks > tallies[best].clocks {
			best = i
		}
	}
	t := tallies[best]
	if t.clocks == 0 {
		return nil
	}
	if t.undated > 0 && !s.hasDate {
		return fmt.Errorf("%w: %s:%d is a message without a date: put the date into the file's name (2004-11-15.txt)", ErrUsage, s.path, t.undated)
	}
	s.format, s.maxHour, s.channels = ircFormats[best], t.maxHour, t.channels
	return nil
}
