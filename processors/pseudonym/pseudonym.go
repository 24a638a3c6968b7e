// Package pseudonym gives ids keyed pseudonyms, so that rows stay joinable and nobody without the key can tell whose they
// are.
//
// [Ring] is the type to know: keys by the time from which each holds, which is the event's own time, so that the live
// pipelines and a replay years later take the same key. It fails when it is made, on keys that are missing, too short or
// out of order. It does not hide how often an id occurs, nor when; whoever has the key can test guesses.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
	"time"
)

// MinKey is the shortest key, in bytes: the output of the hash (RFC 2104, 3).
const MinKey = 32

// Len is the length of a pseudonym without the key's id and its colon: 128 bits in base32.
const Len = 26

// Key is a secret with the name that stands before each pseudonym made with it.
type Key struct {
	ID     string
	Secret []byte
	From   time.Time // of the first event that it is for; zero for the first key
}

// Ring is one or more keys. It is safe for concurrent use.
type Ring struct {
	keys []ringKey
}

type ringKey struct {
	id   string
	from int64 // Unix microseconds
	macs *sync.Pool
}

// NewRing takes keys by rising From.
func NewRing(keys []Key) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("pseudonyms need a key, and there is none")
	}
	r := &Ring{}
	for i, k := range keys {
		switch {
		case k.ID == "":
			return nil, errors.New("a key for pseudonyms has no id")
		case len(k.Secret) < MinKey:
			return nil, fmt.Errorf("key %s has %d bytes and needs at least %d, such as `openssl rand -hex 32` prints", k.ID, len(k.Secret), MinKey)
		case i > 0 && !k.From.After(keys[i-1].From):
			return nil, fmt.Errorf("key %s does not begin after key %s", k.ID, keys[i-1].ID)
		}
		secret := slices.Clone(k.Secret)
		from := k.From.UnixMicro()
		if i == 0 {
			from = -1 << 63
		}
		r.keys = append(r.keys, ringKey{k.ID, from, &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}})
	}
	return r, nil
}

// Len is how many keys there are.
func (r *Ring) Len() int { return len(r.keys) }

// Key is the id of a key by its number, and the time of the first event that it is for; zero for the first key.
func (r *Ring) Key(i int) (id string, from time.Time) {
	k := &r.keys[i]
	if i > 0 {
		from = time.UnixMicro(k.from).UTC()
	}
	return k.id, from
}

// KeyAt numbers the key for an event's time in Unix microseconds.
func (r *Ring) KeyAt(us int64) int {
	i := len(r.keys) - 1
	for i > 0 && us < r.keys[i].from {
		i--
	}
	return i
}

var code = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Append appends the pseudonym of an id under a key: the key's id, a colon, and HMAC-SHA-256 (RFC 2104) of the kind, a
// zero byte and the id's text, its first 128 bits in base32 (RFC 4648, 6) in lower case. The kind, such as "user", keeps
// equal texts of different meaning apart.
func (r *Ring) Append(dst []byte, key int, kind string, id []byte) []byte {
	k := &r.keys[key]
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	_, _ = mac.Write(append([]byte(kind), 0))
	_, _ = mac.Write(id)
	var sum [sha256.Size]byte
	dst = append(append(dst, k.id...), ':')
	return code.AppendEncode(dst, mac.Sum(sum[:0])[:16])
}

// Is reports whether a text is a pseudonym under one of the keys, as far as its form tells.
func (r *Ring) Is(text []byte) bool {
	at := len(text) - Len
	if at < 2 || text[at-1] != ':' {
		return false
	}
	for _, c := range text[at:] {
		if c-'a' >= 26 && c-'2' >= 6 {
			return false
		}
	}
	return slices.ContainsFunc(r.keys, func(k ringKey) bool { return k.id == string(text[:at-1]) })
}
