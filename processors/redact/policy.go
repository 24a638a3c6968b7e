package redact

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Action says what becomes of a value that is found.
type Action uint8

// The actions. Whatever they leave is never found again.
const (
	// Redact puts "[REDACTED:type]" in place. It is the default.
	Redact Action = iota
	// Mask puts "[type:****1234]": the last four characters, or none of a
	// value that has fewer than eight.
	Mask
	// Hash puts "[type:key:pseudonym]", the same for the same value and key.
	Hash
	// Keep leaves the value; it is only found and counted.
	Keep
	// Drop says that whoever holds the text should drop it; see Drops.
	Drop

	actionCount
)

var actionNames = [actionCount]string{Redact: "redact", Mask: "mask", Hash: "hash", Keep: "keep", Drop: "drop"}

// String is the action's name in a policy file.
func (a Action) String() string {
	if a < actionCount {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// ParseAction is the action with a name.
func ParseAction(name string) (Action, error) {
	if i := slices.Index(actionNames[:], name); i >= 0 {
		return Action(i), nil
	}
	return 0, fmt.Errorf("redact: no action %q", name)
}

// Policy says what an Engine looks for and what becomes of it. The zero Policy
// redacts every type. It holds for every text alike: overrides by guild or
// channel are further policies beside this one, chosen by whoever knows where a
// text comes from; see File.
type Policy struct {
	// Version goes into file footers and beside every value that went through
	// the policy; a later policy has a higher one. 0 stands for version 1.
	Version uint32
	// Off are the types not to look for.
	Off []Type
	// Actions are the actions of types; Redact for one that is not named.
	Actions map[Type]Action
	// Key makes the pseudonyms of Hash; needed only with that action.
	Key Key
	// Allow is what is left alone though it has the form of a type.
	Allow Allow
	// Detectors are the user's own, at most 100.
	Detectors []Detector
}

// Key is a secret of at least 32 bytes with the name that stands in what it
// made, so that keys can be changed: 1 to 8 of a-z and 0-9, a letter first.
type Key struct {
	ID     string
	Secret []byte
	// From is the time of the first event that the key is for; zero: all, up to
	// the next key's.
	From time.Time
}

const minKey = 32 // bytes, the output of the hash (RFC 2104, 3)

func (k Key) validate() error {
	switch {
	case k.ID == "" && len(k.Secret) == 0:
		return errors.New("redact: a pseudonym needs a key, and the policy has none")
	case !isKeyID(k.ID):
		return fmt.Errorf("redact: key id %q: 1 to %d of a-z and 0-9, a letter first", k.ID, maxKeyID)
	case len(k.Secret) < minKey:
		return fmt.Errorf("redact: key %s has %d bytes and needs at least %d, such as `openssl rand -hex 32` prints", k.ID, len(k.Secret), minKey)
	}
	return nil
}

// Allow lists what is left alone. A value is compared as a whole, in its plain
// form and without regard to the case of A-Z: "evil-example.com" is not
// "example.com", and neither is "example.com.evil.org".
type Allow struct {
	// Domains of e-mail addresses; "*.example.com" stands for those below it.
	Domains []string
	// Networks of ip addresses.
	Networks []netip.Prefix
	// Literals are values of any type.
	Literals []string
}

// New makes an engine.
func New(p Policy) (*Engine, error) {
	e := &Engine{version: max(p.Version, 1), names: typeNames[:], allow: newAllowed(p.Allow)}
	for t := range e.on {
		e.on[t] = true
	}
	for _, t := range p.Off {
		if t >= typeCount {
			return nil, fmt.Errorf("redact: policy turns off unknown type %d", uint8(t))
		}
		e.on[t] = false
	}
	e.actions = make([]Action, typeCount, int(typeCount)+len(p.Detectors))
	for t, a := range p.Actions {
		if t >= typeCount || a >= actionCount {
			return nil, fmt.Errorf("redact: policy has %v for %v, one of which there is not", a, t)
		}
		e.actions[t] = a
	}
	if err := e.addOwn(p.Detectors); err != nil {
		return nil, err
	}
	if slices.Contains(e.actions, Hash) {
		if err := p.Key.validate(); err != nil {
			return nil, err
		}
		e.key = Key{ID: p.Key.ID, Secret: slices.Clone(p.Key.Secret)}
	}
	for _, name := range e.names {
		e.marks = append(e.marks, markOpen+name+"]")
	}
	e.idle = e.own == nil && !slices.Contains(e.on[:], true)
	e.splitKept()
	return e, nil
}

// splitKept moves what is only counted to an engine of its own, which looks
// beside what the others found: so what is replaced does not depend on it, and
// a second pass, which finds what is kept again, replaces nothing more.
func (e *Engine) splitKept() {
	if !slices.Contains(e.actions, Keep) {
		return
	}
	kept := *e
	for t, a := range e.actions[:typeCount] {
		e.on[t], kept.on[t] = e.on[t] && a != Keep, e.on[t] && a == Keep
	}
	if e.own != nil {
		e.own, kept.own = e.own.only(func(t Type) bool { return e.actions[t] != Keep }), e.own.only(func(t Type) bool { return e.actions[t] == Keep })
	}
	e.kept = &kept
}
