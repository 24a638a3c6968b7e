// Package dedup decides which records of one partition repeat an earlier one.
//
// The rule is by offsets, so that it is a pure function of the partition's log:
// a record at offset o is dropped if and only if a decodable record with the
// same event id and hash, itself dropped or not, stands at o' with
// o-N <= o' < o. A restart, a rebalance or a second run over the same offsets
// decides the same, whatever the clocks say.
//
// Set is the only type to know. It holds one partition; its owner feeds it
// every decodable record in the order of the log, and rebuilds it after an
// assignment or a rewind by Reset and a second reading of [o-N, o). It does no
// I/O and fails only when it is made, on a window that it cannot hold.
package dedup

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
)

const (
	// MaxWindow is the largest window: beyond it a slot's number and the bits
	// that make look-ups short no longer fit into four bytes.
	MaxWindow = 1 << 26

	segmentBits = 12 // keys in one segment of the ring, as a power of two
	segmentSize = 1 << segmentBits

	shiftBits = 4 // bits for an entry's distance from its home
	shiftFar  = 1<<shiftBits - 1
)

// key is what makes two records the same event. The zero key marks a free slot
// of the ring; a real event with id 0 and hash 0 is kept in Set.zeroAt.
type key struct {
	id   int64
	hash uint64
}

// Set remembers which events stand in the last N offsets of one partition.
//
// The plain structure, a map from event to offset beside a queue for expiry,
// costs over 60 bytes an event and grows in pauses. Here the ring holds the key
// of each offset o at slot o mod N, so expiry is overwriting, and an
// open-addressing table of four-byte entries, at most half full, points into
// it: 16 + 8 bytes an offset of the window, all told. An entry also carries its
// distance from home and a few bits of the key's hash, so that a look-up and a
// removal rarely touch a ring slot other than the one wanted.
//
// A Set belongs to one goroutine.
type Set struct {
	window   int64
	slotBits uint
	ring     []*[segmentSize]key // nil until an offset falls into it
	segments int                 // segments that are not nil
	table    *table              // its entries are tag | shift | slot, from the top
	old      *table              // what table has not taken over yet; mostly nil
	cursor   int                 // places of old below it are empty
	seed     [2]uint64

	last   int64 // offset of the latest record; meaningless unless begun
	begun  bool
	zeroAt int64 // latest offset of the zero key; meaningless unless zeroIn
	zeroIn bool

	warmed uint32 // keeps the loads of Warm from being optimised away
}

// New makes a set for a window of n offsets. n must be a power of two of at
// least 1 and at most MaxWindow.
func New(n int64) (*Set, error) {
	if n < 1 || n > MaxWindow || n&(n-1) != 0 {
		return nil, fmt.Errorf("dedup: window of %d offsets: it must be a power of two from 1 to %d", n, MaxWindow)
	}
	s := &Set{
		window:   n,
		slotBits: uint(bits.TrailingZeros64(uint64(n))),
		ring:     make([]*[segmentSize]key, (n+segmentSize-1)/segmentSize),
		// Where entries lie does not change what is decided, so a seed that
		// nobody can guess costs nothing and makes crowding by design impossible.
		seed: [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1},
	}
	s.table = newTable(s.firstTable())
	return s, nil
}

// MaxBytes is the memory that a set of n offsets takes when it is full: 24
// bytes an offset, or 96 KiB where the window is no larger than a segment.
func MaxBytes(n int64) int64 {
	if n <= segmentSize {
		return segmentSize*(16+8) + 24 // pointers
	}
	return 24 * n
}

// Bytes is the memory that the set takes now, without the Set itself.
func (s *Set) Bytes() int64 {
	n := int64(s.segments)*segmentSize*16 + int64(len(s.ring))*8 + s.table.bytes()
	if s.old != nil {
		n += s.old.bytes()
	}
	return n
}

// Window is N, in offsets.
func (s *Set) Window() int64 { return s.window }

// Reset forgets everything and keeps the memory. After it any offset may come.
func (s *Set) Reset() {
	for _, seg := range s.ring {
		if seg != nil {
			clear(seg[:])
		}
	}
	s.table.clear()
	s.old, s.begun, s.zeroIn = nil, false, false
}

// Seen says whether the record at offset repeats one that stands at most N
// offsets before it, and remembers the record either way. Offsets must rise
// from call to call; gaps are normal. An offset that does not rise is a rewind
// without Reset: the answer could not be right, so Seen panics.
func (s *Set) Seen(id int64, hash uint64, offset int64) bool {
	if s.begun {
		if offset <= s.last {
			panic(fmt.Sprintf("dedup: offset %d after %d without Reset", offset, s.last))
		}
		s.expire(offset)
	}
	s.begun, s.last = true, offset
	if s.old != nil {
		s.move()
	}

	k := key{id, hash}
	if k == (key{}) {
		seen := s.zeroIn && offset-s.zeroAt <= s.window
		s.evict(s.slot(offset))
		s.zeroIn, s.zeroAt = true, offset
		return seen
	}
	h := s.mix(k)
	slot := s.slot(offset)
	pos, found := s.find(k, h)
	if found && s.table.get(pos)&s.slotMask() == slot {
		return true // it stood exactly N offsets before
	}
	if s.evict(slot) && found {
		pos, _ = s.find(k, h) // the removal may have moved it
	}
	if found {
		e := s.table.get(pos)
		*s.keyAt(e & s.slotMask()) = key{}
		s.table.set(pos, e&^s.slotMask()|slot)
	} else {
		s.insert(h, slot)
	}
	s.put(slot, k)
	return found
}

// expire frees the slots of the offsets that were skipped on the way to
// offset: what stands there is more than N before it.
func (s *Set) expire(offset int64) {
	skipped := offset - s.last - 1
	if skipped <= 0 || s.empty() {
		return
	}
	if skipped >= s.window {
		zeroIn, zeroAt := s.zeroIn, s.zeroAt
		s.Reset()
		s.zeroIn, s.zeroAt = zeroIn, zeroAt
		return
	}
	for o := s.last + 1; o < offset; o++ {
		s.evict(s.slot(o))
	}
}

// slot is the place of an offset in the ring. Offsets may be negative in
// tests; the mask takes care of that too.
func (s *Set) slot(offset int64) uint32 { return uint32(offset & (s.window - 1)) }

func (s *Set) slotMask() uint32 { return uint32(s.window - 1) }

// empty says that no slot of the ring has a key.
func (s *Set) empty() bool { return s.table.used == 0 && (s.old == nil || s.old.used == 0) }

// keyAt is the key in a slot whose segment exists.
func (s *Set) keyAt(slot uint32) *key {
	return &s.ring[slot>>segmentBits][slot&(segmentSize-1)]
}

func (s *Set) put(slot uint32, k key) {
	seg := &s.ring[slot>>segmentBits]
	if *seg == nil {
		*seg = new([segmentSize]key)
		s.segments++
	}
	(*seg)[slot&(segmentSize-1)] = k
}

// mix is one round of wyhash over the key.
func (s *Set) mix(k key) uint64 {
	hi, lo := bits.Mul64(uint64(k.id)^s.seed[0], k.hash^s.seed[1])
	return (hi ^ lo) * 0x9e3779b97f4a7c15
}
