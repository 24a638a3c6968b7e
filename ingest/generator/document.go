package generator

import (
	"strconv"
	"time"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// begin opens a document: event_id, type, guild_id, channel_id.
func (g *Generator) begin(dst []byte, event int64, kind schemas.Type, at int32) []byte {
	dst = append(dst, `{"event_id":"`...)
	dst = strconv.AppendInt(dst, event, 10)
	dst = append(dst, `","type":"`...)
	dst = append(dst, kind.String()...)
	dst = append(dst, `",`...)
	return append(dst, g.channels[at].ids...)
}

// appendCreated writes a creation. It names no message_id: the message takes the event's id.
func (g *Generator) appendCreated(dst []byte, m *message) []byte {
	dst = g.begin(dst, m.id, schemas.TypeCreated, m.channel)
	dst = append(dst, g.users[m.user].id...)
	dst = g.content(dst, m)
	dst = g.time(dst, m.ms)
	dst = append(dst, g.channels[m.channel].names...)
	dst = append(dst, g.users[m.user].name...)
	dst = g.extra(dst)
	return append(dst, '}')
}

func (g *Generator) appendEdited(dst []byte, event int64, m *message) []byte {
	dst = g.begin(dst, event, schemas.TypeEdited, m.channel)
	dst = g.target(dst, m)
	dst = append(dst, g.users[m.user].id...)
	dst = g.content(dst, m)
	dst = g.time(dst, g.ms)
	return append(dst, '}')
}

func (g *Generator) appendDeleted(dst []byte, event int64, m *message) []byte {
	dst = g.begin(dst, event, schemas.TypeDeleted, m.channel)
	dst = g.target(dst, m)
	dst = g.time(dst, g.ms)
	return append(dst, '}')
}

func (g *Generator) target(dst []byte, m *message) []byte {
	dst = append(dst, `,"target_message_id":"`...)
	dst = strconv.AppendInt(dst, m.id, 10)
	return append(dst, '"')
}

func (g *Generator) content(dst []byte, m *message) []byte {
	g.valid = g.write.append(g.valid[:0], int(m.lang))
	dst = append(dst, `,"content":`...)
	return codec.AppendString(dst, g.valid)
}

// time adds a timestamp; the text of its second is kept, since most events share it with the one before.
func (g *Generator) time(dst []byte, ms int64) []byte {
	second, part := ms/1000, ms%1000
	if part < 0 {
		second, part = second-1, part+1000
	}
	if second != g.second {
		g.second = second
		g.stamp = time.Unix(second, 0).UTC().AppendFormat(g.stamp[:0], `,"timestamp":"2006-01-02T15:04:05.`)
	}
	dst = append(dst, g.stamp...)
	return append(dst, byte('0'+part/100), byte('0'+part/10%10), byte('0'+part%10), 'Z', '"')
}

// extra adds to some events what Coldstream has no column for.
func (g *Generator) extra(dst []byte) []byte {
	switch k := g.rng.IntN(100); {
	case k < 8 && g.made > 0:
		m := &g.recent[(g.made-1-g.rng.Int64N(min(g.made, 32)))%remembered]
		dst = append(dst, `,"reply_to":"`...)
		dst = strconv.AppendInt(dst, m.id, 10)
		return append(dst, '"')
	case k < 11:
		name := pick(g.rng, nouns)
		dst = append(dst, `,"attachments":[{"filename":"`...)
		dst = append(dst, name...)
		dst = append(dst, `.png","size":`...)
		dst = strconv.AppendInt(dst, 1000+g.rng.Int64N(4_000_000), 10)
		return append(dst, `,"content_type":"image/png"}]`...)
	case k < 12:
		return append(dst, `,"flags":4,"tts":false`...)
	default:
		return dst
	}
}
