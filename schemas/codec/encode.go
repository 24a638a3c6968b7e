package codec

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/coldstream/coldstream/schemas"
)

// AppendEvent appends an event as one JSON document, without a line end. Decoding it gives the row again.
func AppendEvent(dst []byte, e *schemas.Event) []byte {
	w := objectWriter{dst: append(dst, '{')}
	w.text("event_id", e.EventID)
	w.text("type", e.Type)
	w.text("guild_id", e.GuildID)
	w.text("channel_id", e.ChannelID)
	if schemas.ParseType(e.Type).HasTarget() {
		w.text("target_message_id", e.MessageID)
		if e.ResolvedID != 0 {
			w.text("message_id", strconv.FormatInt(e.ResolvedID, 10))
		}
	} else {
		w.text("message_id", e.MessageID)
	}
	w.text("user_id", e.UserID)
	if e.HasContent {
		w.key("content")
		w.dst = AppendString(w.dst, e.Content)
	}
	if !e.Time.IsZero() {
		w.key("timestamp")
		w.dst = append(w.dst, '"')
		w.dst = e.Time.UTC().AppendFormat(w.dst, "2006-01-02T15:04:05.999999Z07:00")
		w.dst = append(w.dst, '"')
	}
	w.text("guild_name", e.GuildName)
	w.text("channel_name", e.ChannelName)
	w.text("user_name", e.UserName)
	w.members(e.Extra)
	return append(w.dst, '}')
}

type objectWriter struct {
	dst  []byte
	some bool
}

func (w *objectWriter) comma() {
	if w.some {
		w.dst = append(w.dst, ',')
	}
	w.some = true
}

func (w *objectWriter) key(name string) {
	w.comma()
	w.dst = append(w.dst, '"')
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, '"', ':')
}

func (w *objectWriter) text(name, value string) {
	if value != "" {
		w.key(name)
		w.dst = AppendString(w.dst, value)
	}
}

// members splices the members of a JSON object.
func (w *objectWriter) members(object []byte) {
	object = bytes.TrimSpace(object)
	if len(object) < 2 {
		return
	}
	if inner := bytes.TrimSpace(object[1 : len(object)-1]); len(inner) > 0 {
		w.comma()
		w.dst = append(w.dst, inner...)
	}
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
