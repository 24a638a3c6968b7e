package codec

import (
	"bytes"
	"strconv"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// maxIDBytes bounds the text of an opaque id, and of a type.
const maxIDBytes = 512

// ident is an id as it stands in a document.
type ident struct {
	text    []byte
	num     int64
	decimal bool // num is the text's number
}

func (i ident) present() bool { return len(i.text) > 0 }

// interpret fills the row from the fields that scan has found. record is the record's time in Unix milliseconds, or
// negative when unknown.
func (c *JSON) interpret(record int64) error {
	own, hasOwn, err := c.timestamp()
	if err != nil {
		return err
	}
	if err := c.texts(); err != nil {
		return err
	}
	event, err := c.id(fEventID)
	if err != nil {
		return err
	}
	if !event.present() {
		return schemas.Refusef("event_id", "the event has no event_id: without one a second delivery could not be told from a new event")
	}
	if err := c.kind(); err != nil {
		return err
	}
	if err := c.eventTime(event, own, hasOwn, record); err != nil {
		return err
	}
	if err := c.places(); err != nil {
		return err
	}
	if err := c.message(event, own, hasOwn, record); err != nil {
		return err
	}
	return c.complete()
}

// texts reads content and names.
func (c *JSON) texts() (err error) {
	r := &c.row
	for i, dst := range [...]*[]byte{&r.Content, &r.GuildName, &r.ChannelName, &r.UserName} {
		if *dst, err = c.string(textFields[i]); err != nil {
			return err
		}
	}
	if c.fields[fContent].kind == text {
		r.Fields |= schemas.FieldContent
	}
	if c.fields[fResolves].kind != absent {
		r.Fields |= schemas.FieldResolves
	}
	r.Extra = c.extra
	return nil
}

var textFields = [...]field{fContent, fGuildName, fChannelName, fUserName}

// kind reads the type, or the document's shape.
func (c *JSON) kind() error {
	r := &c.row
	deleted, err := c.deleted()
	if err != nil {
		return err
	}
	name, err := c.string(fType)
	if err != nil {
		return err
	}
	if c.fields[fType].kind == absent {
		r.Type = c.shape()
	} else if len(name) == 0 || len(name) > maxIDBytes {
		return schemas.Refusef("type", "type has %d bytes, and must have 1 to %d", len(name), maxIDBytes)
	} else {
		r.Type = schemas.ParseType(name)
	}
	if deleted && (c.fields[fType].kind == absent || r.Type == schemas.TypeCreated) {
		r.Type, name = schemas.TypeDeleted, nil
	}
	if r.Type != schemas.TypeOther {
		name = typeTexts[r.Type]
	}
	r.TypeName = name
	return nil
}

var typeTexts = func() (t [schemas.TypeGuildDeleted + 1][]byte) {
	for i := range t {
		t[i] = []byte(schemas.Type(i).String())
	}
	return t
}()

func (c *JSON) shape() schemas.Type {
	switch {
	case c.fields[fTarget].kind == absent:
		return schemas.TypeCreated
	case c.fields[fContent].kind == absent:
		return schemas.TypeDeleted
	default:
		return schemas.TypeEdited
	}
}

func (c *JSON) deleted() (bool, error) {
	v := c.fields[fDeleted]
	if v.kind != absent && v.kind != boolean {
		return false, schemas.Refusef("type", "deleted is %s, and must be true or false", kindNames[v.kind])
	}
	return v.kind == boolean && v.raw[0] == 't', nil
}

// ownDelete reports a document that says "deleted": true of itself: its event is another than its creation.
func (c *JSON) ownDelete() bool {
	v := c.fields[fDeleted]
	return c.row.Type == schemas.TypeDeleted && v.kind == boolean && v.raw[0] == 't'
}

// eventTime sets the event's id and time.
func (c *JSON) eventTime(event ident, own int64, hasOwn bool, record int64) error {
	r := &c.row
	ms := floorMillis(own)
	snowflake := event.decimal && !c.OpaqueIDs && c.Epoch.IsSnowflake(event.num, ms, hasOwn, record)
	switch {
	case hasOwn:
		r.Time = own
	case snowflake:
		ms = c.Epoch.Millis(event.num)
		r.Time = ms * 1000
	default:
		return schemas.Refusef("timestamp", "event_id %q is not a Snowflake of this system, so the event needs a timestamp of its own", event.text)
	}
	if !c.Epoch.Contains(ms) {
		return schemas.Refusef("timestamp", "%s is outside what a Snowflake can hold (%s to %s)", showTime(ms),
			showTime(int64(c.Epoch)-1<<41), showTime(int64(c.Epoch)+1<<41))
	}
	if record >= 0 && ms > record+schemas.MaxFuture.Milliseconds() {
		return schemas.Refusef("future", "%s is more than a day after the record's time %s: check the producer's clock and that epoch times are milliseconds", showTime(ms), showTime(record))
	}
	if c.ownDelete() {
		event = ident{text: append(append(make([]byte, 0, len(event.text)+8), event.text...), ":deleted"...)}
		snowflake = false
	}
	if snowflake {
		r.EventID = event.num
		return nil
	}
	r.EventRef, r.EventHash = event.text, schemas.HashRef(event.text)
	r.EventID = c.Epoch.OpaqueID(ms, r.EventHash)
	return nil
}

func showTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// places sets guild, channel and user.
func (c *JSON) places() error {
	r := &c.row
	if err := c.place(fGuildID, schemas.FieldGuild, &r.GuildID, &r.GuildRef); err != nil {
		return err
	}
	if err := c.place(fChannelID, schemas.FieldChannel, &r.ChannelID, &r.ChannelRef); err != nil {
		return err
	}
	return c.place(fUserID, schemas.FieldUser, &r.UserID, &r.UserRef)
}

func (c *JSON) place(f field, has schemas.Fields, number *int64, ref *[]byte) error {
	id, err := c.id(f)
	if err != nil || !id.present() {
		return err
	}
	c.row.Fields |= has
	if id.decimal && !c.OpaqueIDs {
		*number = id.num
	} else {
		*number, *ref = schemas.OpaqueNumber(schemas.HashRef(id.text)), id.text
	}
	return nil
}

// message sets the message that the event makes or changes.
func (c *JSON) message(event ident, own int64, hasOwn bool, record int64) error {
	r := &c.row
	id, err := c.id(fMessageID)
	if err != nil {
		return err
	}
	target, err := c.id(fTarget)
	if err != nil {
		return err
	}
	named := id
	switch {
	case r.Type == schemas.TypeCreated && !id.present():
		r.MessageID, r.MessageHash, r.MessageRef = r.EventID, r.EventHash, r.EventRef
		r.Fields |= schemas.FieldMessage
		return nil
	case r.Type.HasTarget() && target.present():
		named = target
	case !id.present() && c.ownDelete():
		named = event
	case !id.present():
		return nil
	}
	if named.decimal && !c.OpaqueIDs && c.Epoch.IsSnowflake(named.num, floorMillis(own), hasOwn, record) {
		r.MessageID = named.num
		r.Fields |= schemas.FieldMessage
		return nil
	}
	r.MessageRef, r.MessageHash = named.text, schemas.HashRef(named.text)
	switch {
	case r.Type == schemas.TypeCreated && !hasOwn:
		return schemas.Refusef("timestamp", "message_id %q is not a Snowflake of this system, so its creation needs a timestamp of its own", named.text)
	case r.Type == schemas.TypeCreated:
		r.MessageID = c.Epoch.OpaqueID(floorMillis(own), r.MessageHash)
		r.Fields |= schemas.FieldMessage
	case r.Fields.Has(schemas.FieldResolves) && target.present() && id.decimal:
		r.MessageID = id.num
		r.Fields |= schemas.FieldMessage
		if named.decimal && named.num == id.num { // the resolver has found that the number is a Snowflake after all
			r.MessageRef, r.MessageHash = nil, 0
		}
	}
	return nil
}

// complete refuses events that lack what their type needs and that no resolver could find.
func (c *JSON) complete() error {
	r := &c.row
	need := func(ok bool, what string) error {
		if ok {
			return nil
		}
		return schemas.Refusef("incomplete", "a %s event needs %s", r.TypeName, what)
	}
	switch r.Type {
	case schemas.TypeCreated:
		return need(r.Fields.Has(schemas.FieldChannel), "channel_id")
	case schemas.TypeEdited, schemas.TypeDeleted, schemas.TypeRestored:
		return need(r.Fields.Has(schemas.FieldMessage) || len(r.MessageRef) > 0, "target_message_id")
	case schemas.TypeBulkDeleted:
		if err := need(c.fields[fMessageIDs].kind == array, "message_ids, an array of ids"); err != nil {
			return err
		}
		return c.bulkIDs()
	case schemas.TypeChannelDeleted:
		return need(r.Fields.Has(schemas.FieldChannel), "channel_id")
	case schemas.TypeGuildDeleted:
		return need(r.Fields.Has(schemas.FieldGuild), "guild_id")
	default:
		return nil
	}
}

func (c *JSON) bulkIDs() error {
	s := scanner{data: c.fields[fMessageIDs].raw}
	return s.array(0, func(v value) error {
		if v.kind != text && !isInteger(v) || len(v.raw) == 0 || len(v.raw) > maxIDBytes {
			return schemas.Refusef("type", "message_ids must hold ids: decimal strings, integers or texts of up to %d bytes", maxIDBytes)
		}
		return nil
	})
}

func isInteger(v value) bool { return v.kind == number && !bytes.ContainsAny(v.raw, ".eE") }

// id reads an id: a string, or an integer.
func (c *JSON) id(f field) (ident, error) {
	v := &c.fields[f]
	var raw []byte
	var err error
	switch v.kind {
	case absent:
		return ident{}, nil
	case text:
		if raw, err = c.string(f); err != nil {
			return ident{}, err
		}
	case number:
		if !isInteger(*v) {
			return ident{}, schemas.Refusef("id", "%s is %s: an id is a decimal string, an integer or a text, never a float", fieldNames[f], v.raw)
		}
		raw = v.raw
	default:
		return ident{}, schemas.Refusef("id", "%s is %s: an id is a decimal string, an integer or a text", fieldNames[f], kindNames[v.kind])
	}
	if len(raw) == 0 || len(raw) > maxIDBytes {
		return ident{}, schemas.Refusef("id", "%s has %d bytes, and must have 1 to %d", fieldNames[f], len(raw), maxIDBytes)
	}
	n, ok := schemas.ParseDecimal(raw)
	return ident{text: raw, num: n, decimal: ok}, nil
}

// timestamp reads the event's own time in Unix microseconds.
func (c *JSON) timestamp() (us int64, ok bool, err error) {
	v := c.fields[fTimestamp]
	raw := v.raw
	switch v.kind {
	case absent:
		return 0, false, nil
	case text:
		if raw, err = c.string(fTimestamp); err != nil {
			return 0, false, err
		}
		if us, ok = c.clock.parse(raw); ok {
			return us, true, nil
		}
		var t time.Time // another zone than UTC, or not RFC 3339
		if t.UnmarshalText(raw) == nil {
			return t.UnixMicro(), true, nil
		}
	case number:
		if !isInteger(v) {
			return 0, false, schemas.Refusef("timestamp", "%s is not an integer of milliseconds", raw)
		}
	default:
		return 0, false, schemas.Refusef("timestamp", "timestamp is %s, and must be RFC 3339 or epoch milliseconds", kindNames[v.kind])
	}
	ms, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, false, schemas.Refusef("timestamp", "%.64q is neither RFC 3339 (2023-05-10T14:30:00Z) nor epoch milliseconds", raw)
	}
	if !c.Epoch.Contains(ms) {
		return 0, false, schemas.Refusef("timestamp", "%d milliseconds are outside what a Snowflake can hold: are they seconds or microseconds?", ms)
	}
	return ms * 1000, true, nil
}

func floorMillis(us int64) int64 {
	ms := us / 1000
	if us%1000 < 0 {
		ms--
	}
	return ms
}
