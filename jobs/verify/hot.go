package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/coldstream/coldstream/schemas"
)

// value is one part of a message's state, under the one order of values.
type value struct {
	set     bool
	version schemas.Version
	text    uint64 // hash of the content, the user, or 1 for deleted
	other   []uint64
}

// put takes the later of two values. An event sent again with another text has the same version: the store keeps the
// greater text, and here either will do.
func (p *value) put(version schemas.Version, text uint64) {
	switch c := version.Compare(p.version); {
	case !p.set || c > 0:
		*p = value{set: true, version: version, text: text}
	case c == 0 && text != p.text:
		p.other = append(p.other, text)
	}
}

func (p *value) is(text uint64) bool { return text == p.text || slices.Contains(p.other, text) }

// message is what the events in range say of one message.
type message struct {
	created bool
	user    value
	content value
	deleted value
	seen    bool // found in the hot store
	excused bool // an earlier policy may have dropped its creation
}

// state is the model of the hot store: messages by their key.
type state map[MessageKey]*message

// apply adds one event, as the design's order says: in any order, any number of times.
func (v *run) apply(s state, b *schemas.Batch, i int) {
	t := b.Type[i]
	if b.NeedsResolution(i) {
		return
	}
	version := schemas.Version{Rank: schemas.RankOf(t), Event: b.EventID[i], Policy: b.Policy}
	if t == schemas.TypeBulkDeleted {
		v.bulk(s, b, i, version)
		return
	}
	if t != schemas.TypeCreated && !t.HasTarget() {
		return
	}
	m := s.at(MessageKey{b.ChannelID[i], b.MessageID[i], b.MessageHash[i]})
	switch t {
	case schemas.TypeCreated:
		m.created = true
		m.user.put(version, uint64(b.UserID[i]))
		m.content.put(version, contentHash(b, i))
	case schemas.TypeEdited:
		if b.Fields[i].Has(schemas.FieldContent) {
			m.content.put(version, contentHash(b, i))
		}
	case schemas.TypeDeleted:
		m.deleted.put(version, 1)
	case schemas.TypeRestored:
		m.deleted.put(version, 0)
	}
}

func (s state) at(k MessageKey) *message {
	m := s[k]
	if m == nil {
		m = &message{}
		s[k] = m
	}
	return m
}

// bulk deletes the messages that the event lists by Snowflakes; the others are the resolver's, whose events follow.
func (v *run) bulk(s state, b *schemas.Batch, i int, version schemas.Version) {
	if !b.Fields[i].Has(schemas.FieldChannel) {
		return
	}
	err := v.cfg.Bulk(b, i, func(_ []byte, id int64, known bool) {
		if known {
			s.at(MessageKey{b.ChannelID[i], id, 0}).deleted.put(version, 1)
		}
	})
	if err != nil { // the codec has checked the list
		v.result.example("topic: %v", err)
	}
}

// suspect is a message of the hot store that differs from the model.
type suspect struct {
	key   MessageKey
	extra bool
	text  string
}

// hot compares the state table with what the events add up to.
func (v *run) hot(ctx context.Context) error {
	if v.cfg.Hot == nil {
		return nil
	}
	r := &v.result.Hot
	v.covers = v.places.covers()
	var done int64
	err := v.cfg.Hot.Messages(ctx, func(h HotMessage) error {
		if done++; done%10_000 == 0 {
			v.cfg.Progress("hot", done, int64(len(v.state)))
		}
		v.compare(h)
		return nil
	})
	if err != nil {
		return fmt.Errorf("hot store: %w", err)
	}
	for k, m := range v.state {
		if m.created && !m.seen && !m.excused {
			r.Missing++
			v.result.example("hot: message %d of channel %d is not there", k.Message, k.Channel)
		}
	}
	if r.Messages, err = v.cfg.Hot.Visible(ctx); err != nil {
		return fmt.Errorf("hot store: %w", err)
	}
	waiting, err := v.cfg.Hot.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("hot store: %w", err)
	}
	r.Waiting += waiting
	return v.acquit(ctx)
}

// acquit drops the suspects that events above the hot group's offsets touch: the store may be ahead of the model, which
// is no fault. What came while the store was read is read for that.
func (v *run) acquit(ctx context.Context) error {
	if len(v.suspects) == 0 {
		return nil
	}
	if err := v.readTail(ctx); err != nil {
		return err
	}
	tail := v.places.changed(v.ahead)
	for _, s := range v.suspects {
		if _, ok := v.touched[s.key]; ok {
			continue
		}
		if _, ok := tail[s.key.Channel]; ok {
			continue
		}
		if s.extra {
			v.result.Hot.Extra++
		} else {
			v.result.Hot.Stale++
		}
		v.result.example("%s", s.text)
	}
	return nil
}

func (v *run) readTail(ctx context.Context) error {
	spans, err := v.cfg.Log.Spans(ctx)
	if err != nil {
		return err
	}
	for i := range spans {
		for _, s := range v.result.Range {
			if s.Partition == spans[i].Partition {
				spans[i].From = s.Next
			}
		}
	}
	b := schemas.GetBatch()
	defer b.Release()
	return v.cfg.Log.Read(ctx, spans, func(r Record) error {
		b.Reset()
		if err := v.cfg.Decoder.Decode(b, r); err == nil { // a refused record touches nothing
			v.touch(b, 0)
		}
		return nil
	})
}

// touch notes the messages that an event changes.
func (v *run) touch(b *schemas.Batch, i int) {
	later := state{}
	v.apply(later, b, i)
	for k := range later {
		v.touched[k] = struct{}{}
	}
	v.ahead.add(b, i)
}

// remove gives a message the delete of its channel or guild, if that takes it, and reports whether it rules.
func (v *run) remove(k MessageKey, m *message) bool {
	version, ok := v.covers[k.Channel]
	if !ok || !schemas.Covers(version.Event, k.Message) {
		return false
	}
	m.deleted.put(version, 1)
	return m.deleted.version == version
}

// compare judges one message of the state table.
func (v *run) compare(h HotMessage) {
	m := v.state[h.Key]
	if m == nil || !m.created {
		_, dropped := v.log.droppedMessages[h.Key]
		if v.whole && !(dropped && h.Policy != v.cfg.Policy) { // another policy may have kept what this one drops
			v.suspects = append(v.suspects, suspect{h.Key, true, fmt.Sprintf("hot: message %d of channel %d is there, and no event in range created it", h.Key.Message, h.Key.Channel)})
		}
		return
	}
	m.seen = true
	removed := v.remove(h.Key, m)
	deleted := m.deleted.text == 1
	// Content of another policy cannot be made again here. Where the topic has lost its beginning, an event of before may
	// rule: the store's version is above the model's then.
	content := h.Policy != v.cfg.Policy || m.content.is(h.Content) || !v.whole && h.ContentVersion > m.content.version.Event
	removal := h.Deleted == deleted || !v.whole && (!m.deleted.set || h.DeletedVersion > m.deleted.version.Event)
	author := h.Policy != v.cfg.Policy || m.user.is(uint64(h.User))
	if content && author && !removal && removed && !h.Deleted { // the resolver has yet to write it
		v.result.Hot.Waiting++
		return
	}
	if content && removal && author {
		return
	}
	v.suspects = append(v.suspects, suspect{h.Key, false, fmt.Sprintf(
		"hot: message %d of channel %d differs from what its events add up to (content right: %v, author right: %v, deleted: %v, should be: %v)",
		h.Key.Message, h.Key.Channel, content, author, h.Deleted, deleted)})
}

// HashText is the hash that HotMessage.Content holds: ClickHouse's xxh3.
func HashText(s string) uint64 { return xxh3.HashString(s) }
