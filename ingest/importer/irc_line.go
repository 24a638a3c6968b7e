package importer

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// The kinds of lines of an IRC log. All but messages are skipped and counted.
const (
	kindMessage  = "message"
	kindAction   = "action"   // * nick waves
	kindNotice   = "notice"   // -nick- text
	kindPresence = "presence" // joins, parts, modes, topics
	kindRemark   = "remark"   // of the log itself: --- Day changed
	kindBlank    = "blank"
	kindOther    = "other"
)

// ircLine is one line, taken apart. Its slices lie in the line.
type ircLine struct {
	kind     string
	date     int64 // days since 1970
	hasDate  bool
	seconds  int // since midnight
	hasClock bool
	channel  []byte
	nick     []byte
	text     []byte
}

// ircFormats read a line each; one that does not understand a line leaves hasClock false.
var ircFormats = []func(line []byte, l *ircLine){bracketed, irssi, weechat}

// bracketed reads "[HH:MM] …", "[HH:MM:SS] …", "[DATE HH:MM:SS] …" and "CHANNEL DATE [HH:MM] …".
func bracketed(line []byte, l *ircLine) {
	rest := bytes.TrimPrefix(line, []byte("\ufeff"))
	if len(rest) > 0 && rest[0] != '[' && !bytes.HasPrefix(rest, []byte("===")) {
		if channel, after, ok := bytes.Cut(rest, []byte(" ")); ok && len(after) > 10 && after[10] == ' ' {
			if l.date, l.hasDate = parseDate(after[:10]); l.hasDate {
				l.channel, rest = channel, after[11:]
			}
		}
	}
	if len(rest) > 0 && rest[0] == '[' {
		if clock, after, ok := bytes.Cut(rest[1:], []byte("]")); ok {
			if len(clock) > 11 && (clock[10] == ' ' || clock[10] == 'T') {
				if date, ok := parseDate(clock[:10]); ok {
					l.date, l.hasDate, clock = date, true, clock[11:]
				}
			}
			if l.seconds, l.hasClock = parseClock(clock); l.hasClock {
				rest = bytes.TrimLeft(after, " \t")
			}
		}
	}
	l.said(rest, false)
}

// irssi reads "HH:MM <@nick> …" and "--- Day changed Tue Nov 16 2004".
func irssi(line []byte, l *ircLine) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	if bytes.HasPrefix(line, []byte("--- ")) {
		l.kind = kindRemark
		for prefix, layout := range map[string]string{
			"--- Log opened ": "Mon Jan _2 15:04:05 2006", "--- Day changed ": "Mon Jan _2 2006",
		} {
			if rest, ok := strings.CutPrefix(strings.TrimRight(string(line), " \r"), prefix); ok {
				if t, err := time.Parse(layout, rest); err == nil {
					l.date, l.hasDate = dayOf(t), true
				}
			}
		}
		return
	}
	clock, rest, ok := bytes.Cut(line, []byte(" "))
	if ok {
		l.seconds, l.hasClock = parseClock(clock)
	}
	if !l.hasClock {
		rest = line
	}
	l.said(rest, true)
}

// said tells what kind of line it is by what follows the clock. modes: the nick has a sign of its rank before it.
func (l *ircLine) said(rest []byte, modes bool) {
	trimmed := bytes.TrimLeft(rest, " \t")
	l.kind = kindOther
	switch {
	case len(bytes.TrimSpace(rest)) == 0:
		l.kind = kindBlank
	case !l.hasClock:
		if bytes.HasPrefix(trimmed, []byte("===")) || bytes.HasPrefix(trimmed, []byte("***")) {
			l.kind = kindPresence
		}
	case trimmed[0] == '<':
		if end := bytes.IndexByte(trimmed, '>'); end > 1 {
			l.message(trimmed[1:end], trimmed[end+1:], modes)
		}
	case hasAnyPrefix(trimmed, "===", "***", "-!-", "!"):
		l.kind = kindPresence
	case trimmed[0] == '*':
		l.kind = kindAction
	case noticeLine.Match(trimmed):
		l.kind = kindNotice
	}
}

var noticeLine = regexp.MustCompile(`^-[^ ]+-(\s|$)`)

func (l *ircLine) message(nick, text []byte, modes bool) {
	if modes {
		nick = bytes.TrimSpace(nick)
		if len(nick) > 1 && strings.IndexByte("@+%&~!", nick[0]) >= 0 {
			nick = nick[1:]
		}
		if len(nick) == 0 {
			return
		}
	}
	l.kind, l.nick, l.text = kindMessage, nick, bytes.TrimSpace(text)
}

// weechat reads "2016-03-01 12:34:56<tab>nick<tab>…".
func weechat(line []byte, l *ircLine) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	l.kind = kindOther
	if len(bytes.TrimSpace(line)) == 0 {
		l.kind = kindBlank
		return
	}
	if len(line) < 20 || line[10] != ' ' || line[19] != '\t' {
		return
	}
	date, dated := parseDate(line[:10])
	seconds, clocked := parseClock(line[11:19])
	prefix, text, two := bytes.Cut(line[20:], []byte("\t"))
	if !dated || !clocked || !two {
		return
	}
	l.date, l.hasDate, l.seconds, l.hasClock = date, true, seconds, true
	switch who := string(bytes.TrimSpace(prefix)); who {
	case "-->", "<--", "--", "":
		l.kind = kindPresence
		if noticeText.Match(text) {
			l.kind = kindNotice
		}
	case "*":
		l.kind = kindAction
	case "=!=":
		l.kind = kindRemark
	default:
		l.message(prefix, text, true)
	}
}

var noticeText = regexp.MustCompile(`^Notice\(`)

func hasAnyPrefix(s []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if bytes.HasPrefix(s, []byte(p)) {
			return true
		}
	}
	return false
}

// parseClock reads HH:MM or HH:MM:SS; 23:59:60 is a leap second.
func parseClock(s []byte) (seconds int, ok bool) {
	if len(s) != 5 && len(s) != 8 || s[2] != ':' || len(s) == 8 && s[5] != ':' {
		return 0, false
	}
	h, ok1 := twoDigits(s, 0)
	m, ok2 := twoDigits(s, 3)
	sec, ok3 := 0, true
	if len(s) == 8 {
		sec, ok3 = twoDigits(s, 6)
	}
	return h*3600 + m*60 + sec, ok1 && ok2 && ok3 && h < 24 && m < 60 && sec <= 60
}

func twoDigits(s []byte, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

func parseDate(s []byte) (int64, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	t, err := time.Parse(time.DateOnly, string(s))
	return dayOf(t), err == nil
}

func dayOf(t time.Time) int64 {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / day
}

var nameDate = regexp.MustCompile(`(?:^|[^0-9])([0-9]{4})([-_.]?)([0-9]{2})([-_.]?)([0-9]{2})(?:[^0-9]|$)`)

// dateInName finds the date in a file's name, such as 2004-11-15_03.txt, #go.20050312.log or chan_2005_03_12.
func dateInName(name string) (date int64, ok, atStart bool) {
	for at := 0; ; {
		m := nameDate.FindStringSubmatchIndex(name[at:])
		if m == nil {
			return 0, false, false
		}
		part := func(i int) string { return name[at+m[2*i] : at+m[2*i+1]] }
		t, err := time.Parse("20060102", part(1)+part(3)+part(5))
		if err == nil && part(2) == part(4) {
			return dayOf(t), true, at+m[2] == 0
		}
		at += m[2] + 1
	}
}
