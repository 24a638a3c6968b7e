package processors

import (
	"fmt"
	"slices"
	"time"

	"github.com/coldstream/coldstream/processors/pseudonym"
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

// StageRedact and StageUsers are the stages that no policy has to name.
const (
	StageDedup  = "dedup"
	StageRedact = "redact"
	StageUsers  = "users"
)

// Program is a policy made ready: what is done to events, in order. It is safe for concurrent use.
type Program struct {
	version  uint32
	policies policies
	fields   fields
	ring     *pseudonym.Ring // nil: no keys
	users    bool
	stages   []*stagePlan
}

// policies are the engines of the file's policy and of its overrides, each by the keys' numbers.
type policies struct {
	engines  [][]*redact.Engine
	guilds   map[int64]int
	channels map[int64]int
	ring     *pseudonym.Ring
}

// New makes a program of a policy without stages.
func New(f *redact.File) (*Program, error) { return newProgram(f, nil) }

func newProgram(f *redact.File, stages []*stagePlan) (*Program, error) {
	p := &Program{version: max(f.Version, 1), users: f.Users, stages: stages}
	if len(f.Keys) > 0 {
		keys := make([]pseudonym.Key, len(f.Keys))
		for i, k := range f.Keys {
			keys[i] = pseudonym.Key{ID: k.ID, Secret: k.Secret, From: k.From}
		}
		ring, err := pseudonym.NewRing(keys)
		if err != nil {
			return nil, err
		}
		p.ring = ring
	}
	if p.users && p.ring == nil {
		return nil, fmt.Errorf("pseudonyms of users need a key of at least %d bytes, and the policy has none", pseudonym.MinKey)
	}
	var err error
	if p.policies, err = newPolicies(f, p.ring); err != nil {
		return nil, err
	}
	if p.fields, err = newFields(f); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.stages, func(s *stagePlan) bool { return s.kind == kindRedact }) {
		p.stages = append(slices.Clone(p.stages), &stagePlan{name: StageRedact, kind: kindRedact})
	}
	return p, nil
}

func newPolicies(f *redact.File, ring *pseudonym.Ring) (policies, error) {
	p := policies{guilds: map[int64]int{}, channels: map[int64]int{}, ring: ring}
	add := func(policy redact.Policy) error {
		keys := f.Keys
		if len(keys) == 0 {
			keys = []redact.Key{policy.Key}
		}
		var engines []*redact.Engine
		for _, k := range keys {
			policy.Key = k
			e, err := redact.New(policy)
			if err != nil {
				return err
			}
			engines = append(engines, e)
		}
		p.engines = append(p.engines, engines)
		return nil
	}
	if err := add(f.Policy); err != nil {
		return p, err
	}
	for _, o := range f.Overrides {
		for _, id := range o.Guilds {
			p.guilds[placeID(id)] = len(p.engines)
		}
		for _, id := range o.Channels {
			p.channels[placeID(id)] = len(p.engines)
		}
		if err := add(o.Policy); err != nil {
			return p, err
		}
	}
	return p, nil
}

// placeID is the number of a guild or channel, by its id or opaque text.
func placeID(text string) int64 {
	if n, ok := schemas.ParseDecimal([]byte(text)); ok {
		return n
	}
	return schemas.OpaqueNumber(schemas.HashRef(text))
}

// key numbers the key for a row.
func (p *policies) key(b *schemas.Batch, i int) int {
	if p.ring == nil {
		return 0
	}
	return p.ring.KeyAt(b.Time[i])
}

// of is the engine for a row. A channel's policy goes before its guild's.
func (p *policies) of(b *schemas.Batch, i int) *redact.Engine {
	if len(p.engines) == 1 && p.ring == nil {
		return p.engines[0][0]
	}
	at := 0
	if f := b.Fields[i]; f.Has(schemas.FieldGuild) {
		at = p.guilds[b.GuildID[i]]
		if c, ok := p.channels[b.ChannelID[i]]; ok && f.Has(schemas.FieldChannel) {
			at = c
		}
	} else if f.Has(schemas.FieldChannel) {
		at = p.channels[b.ChannelID[i]]
	}
	return p.engines[at][p.key(b, i)]
}

// Version is the policy's version, 1 or more.
func (p *Program) Version() uint32 { return p.version }

// Engine is the redaction of texts that come from no guild or channel in particular.
func (p *Program) Engine() *redact.Engine { return p.policies.engines[0][0] }

// Pseudonym is what stands for a user in the rows of a time.
type Pseudonym struct {
	Key      string    // its id
	From, To time.Time // the events' times, To not among them; zero: no bound
	Ref      string    // in the column user_ref
	UserID   int64     // in user_id
}

// Pseudonyms are those of a user's id, or of the text of an opaque one, by the keys' times; none where ids are kept.
func (p *Program) Pseudonyms(id string) []Pseudonym {
	if !p.users {
		return nil
	}
	all := make([]Pseudonym, p.ring.Len())
	for i := range all {
		ref := p.ring.Append(nil, i, kindOfUser, []byte(id))
		all[i] = Pseudonym{Ref: string(ref), UserID: schemas.OpaqueNumber(schemas.HashRef(ref))}
		all[i].Key, all[i].From = p.ring.Key(i)
		if i > 0 {
			all[i-1].To = all[i].From
		}
	}
	return all
}

// Topics are the topics that events are routed to.
func (p *Program) Topics() []string {
	var topics []string
	for _, s := range p.stages {
		if s.kind == kindRoute && !slices.Contains(topics, s.topic) {
			topics = append(topics, s.topic)
		}
	}
	return topics
}

// Stages are the names of the stages, in order, with what each does.
func (p *Program) Stages() [][2]string {
	var all [][2]string
	for _, s := range p.stages {
		all = append(all, [2]string{s.name, s.kind.String()})
		if s.kind == kindRedact && p.users {
			all = append(all, [2]string{StageUsers, "pseudonym"})
		}
	}
	return all
}
