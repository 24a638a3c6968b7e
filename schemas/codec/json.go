package codec

import (
	"bytes"
	"unicode/utf8"

	"github.com/coldstream/coldstream/schemas"
)

// Origin says where a record stands in the log.
type Origin struct {
	Source    int32 // index in the table's list of sources
	Partition int32
	Offset    int64
	Time      int64 // the record's, in Unix microseconds; negative when unknown
}

// JSON decodes events written as JSON objects (RFC 8259, UTF-8). One decoder serves one goroutine: it keeps scratch
// memory between calls, so that an event costs no allocation.
type JSON struct {
	Epoch schemas.Epoch
	// OpaqueIDs declares every id of the topic opaque, also those that look like Snowflakes.
	OpaqueIDs bool

	fields  [numFields]value
	guess   [numFields]field // by place in the document before: what stood there likely stands there again
	clock   clock
	extra   []byte
	scratch []byte
	row     schemas.Row
	body    []byte // the document of the call under way
}

// field numbers the names that the codec knows.
type field int

const (
	fEventID field = iota
	fType
	fGuildID
	fChannelID
	fMessageID
	fTarget
	fUserID
	fContent
	fTimestamp
	fGuildName
	fChannelName
	fUserName
	fDeleted
	fResolves
	fMessageIDs
	numFields
	fUnknown field = -1
)

var fieldNames = [numFields]string{
	"event_id", "type", "guild_id", "channel_id", "message_id", "target_message_id", "user_id", "content", "timestamp",
	"guild_name", "channel_name", "user_name", "deleted", "resolves", "message_ids",
}

func fieldOf(name []byte) field {
	switch string(name) { // the compiler makes a search of it, without allocating
	case "event_id":
		return fEventID
	case "type":
		return fType
	case "guild_id":
		return fGuildID
	case "channel_id":
		return fChannelID
	case "message_id":
		return fMessageID
	case "target_message_id":
		return fTarget
	case "user_id":
		return fUserID
	case "content":
		return fContent
	case "timestamp":
		return fTimestamp
	case "guild_name":
		return fGuildName
	case "channel_name":
		return fChannelName
	case "user_name":
		return fUserName
	case "deleted":
		return fDeleted
	case "resolves":
		return fResolves
	case "message_ids":
		return fMessageIDs
	default:
		return fUnknown
	}
}

// Decode appends the event to b as one row. A value that cannot be taken is a *schemas.Refusal, and b is as before.
func (c *JSON) Decode(b *schemas.Batch, doc []byte, at Origin) error {
	if err := c.scan(doc); err != nil {
		return err
	}
	c.row = schemas.Row{Source: at.Source, Partition: at.Partition, Offset: at.Offset, KafkaTime: at.Time}
	c.scratch = c.scratch[:0]
	if err := c.interpret(recordMillis(at.Time)); err != nil {
		return err
	}
	b.Append(&c.row)
	return nil
}

func recordMillis(us int64) int64 {
	if us < 0 {
		return -1
	}
	return us / 1000
}

// scan finds the known fields of a document and gathers all others.
func (c *JSON) scan(doc []byte) error {
	switch {
	case doc == nil:
		return schemas.Refusef("tombstone", "the record has no value: a delete is an event of its own, not a tombstone")
	case len(doc) == 0:
		return schemas.Refusef("empty", "the value is empty")
	case len(doc) > schemas.MaxEventBytes:
		return schemas.Refusef("size", "%d bytes are more than %d", len(doc), schemas.MaxEventBytes)
	case doc[0] == 0:
		return schemas.Refusef("schema", "the value begins with a schema registry's header, and no registry is configured")
	}
	s := scanner{data: doc}
	err := c.document(&s)
	// Only strings can hold bytes beyond ASCII: where none did, there is nothing to check.
	if (err != nil || s.wide&tops != 0) && !utf8.Valid(doc) {
		return schemas.Refusef("utf8", "byte %d is not UTF-8", invalidAt(doc))
	}
	return err
}

func (c *JSON) document(s *scanner) error {
	clear(c.fields[:])
	c.extra = c.extra[:0]
	c.body = s.data
	if s.peek() != '{' {
		return s.fail("an object with the event's fields")
	}
	s.pos++
	if s.peek() == '}' {
		s.pos++
	} else if err := c.members(s); err != nil {
		return err
	}
	if s.space(); s.pos < len(s.data) {
		return s.fail("the end of the document (one event a record)")
	}
	if len(c.extra) > 0 {
		c.extra = append(c.extra, '}')
	}
	return nil
}

// members reads the document's members up to its closing brace. A producer writes its fields in the same order from one
// document to the next, so the name that stood at the same place before is compared before any is looked for.
func (c *JSON) members(s *scanner) error {
	for place := 0; ; place++ {
		s.space()
		start := s.pos
		var f field
		if place < len(c.guess) && bytes.HasPrefix(s.data[start:], literals[c.guess[place]]) {
			f = c.guess[place]
			s.pos += len(literals[f])
		} else {
			var err error
			if f, err = c.name(s); err != nil {
				return err
			}
			if place < len(c.guess) && f >= 0 {
				c.guess[place] = f
			}
		}
		v, err := s.value(1)
		if err != nil {
			return err
		}
		if err := c.member(s.data[start:s.pos], f, v); err != nil {
			return err
		}
		if done, err := s.next('}'); done || err != nil {
			return err
		}
	}
}

// literals are the known names as they stand in a document without white space.
var literals = func() (l [numFields][]byte) {
	for f, name := range fieldNames {
		l[f] = []byte(`"` + name + `":`)
	}
	return l
}()

// name reads a member's name and its colon.
func (c *JSON) name(s *scanner) (field, error) {
	if s.peek() != '"' {
		return fUnknown, s.fail("a field's name in double quotes")
	}
	key, err := s.string()
	if err != nil {
		return fUnknown, err
	}
	if err := s.expect(':', "a colon"); err != nil {
		return fUnknown, err
	}
	if key.escaped {
		c.scratch = appendUnescaped(c.scratch[:0], key.raw)
		return fieldOf(c.scratch), nil
	}
	return fieldOf(key.raw), nil
}

func (c *JSON) member(raw []byte, f field, v value) error {
	if f == fUnknown {
		c.keep(raw)
		return nil
	}
	if c.fields[f].kind != absent {
		return schemas.Refusef("duplicate", "the field %q stands twice", fieldNames[f])
	}
	if v.kind == null {
		return nil
	}
	c.fields[f] = v
	if f == fResolves || f == fMessageIDs {
		c.keep(raw)
	}
	return nil
}

// keep adds one member to the extra fields, verbatim.
func (c *JSON) keep(member []byte) {
	if len(c.extra) == 0 {
		c.extra = append(c.extra, '{')
	} else {
		c.extra = append(c.extra, ',')
	}
	c.extra = append(c.extra, member...)
}

func invalidAt(doc []byte) int {
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(doc)
}

// string is the value of a text field; it lies in the document or in scratch.
func (c *JSON) string(f field) ([]byte, error) {
	v := c.fields[f]
	switch {
	case v.kind == absent:
		return nil, nil
	case v.kind != text:
		return nil, schemas.Refusef("type", "%s is %s, and must be a string", fieldNames[f], kindNames[v.kind])
	case !v.escaped:
		return v.raw, nil
	}
	n := len(c.scratch)
	if cap(c.scratch)-n < len(v.raw) { // growing would move what earlier fields point to
		c.scratch, n = make([]byte, 0, len(c.body)+len(v.raw)), 0
	}
	c.scratch = appendUnescaped(c.scratch, v.raw)
	return c.scratch[n:len(c.scratch):len(c.scratch)], nil
}
