package dedup

import "math/bits"

// The table starts small and becomes full-sized once, when the window is filled
// to 1/smallPart: so the one move is short (a few milliseconds for 16 million
// offsets), and a quiet partition stays at a few per cent of the budget.
const smallPart = 64

// firstTable is the length of the table of a new set.
func (s *Set) firstTable() int {
	return max(min(int(s.window)/smallPart*2, s.fullTable()), min(s.fullTable(), 64))
}

// fullTable is the length at which a full window fills half of the table; a
// little less where the ring's segment pointers have to fit the budget too.
func (s *Set) fullTable() int {
	n := int(s.window)
	if n < segmentSize {
		return 2 * n
	}
	return 2*n - n/512
}

// home is where a key's entry belongs. The table's length is no power of two,
// so the upper half of a product stands for the remainder.
func (s *Set) home(h uint64) int {
	hi, _ := bits.Mul64(h, uint64(len(s.table)))
	return int(hi)
}

// entry packs slot, distance from home and hash bits. It is never 0.
func (s *Set) entry(h uint64, slot uint32, shift int) uint32 {
	tagBits := 32 - s.slotBits - shiftBits
	tag := uint32(h) & (1<<tagBits - 1) // home uses the upper bits of h
	if tag == 0 {
		tag = 1
	}
	return tag<<(s.slotBits+shiftBits) | uint32(min(shift, shiftFar))<<s.slotBits | slot
}

// find gives the position of a key's entry.
func (s *Set) find(k key, h uint64) (int, bool) {
	pos := s.home(h)
	want := s.entry(h, 0, 0)
	for shift := 0; ; shift++ {
		e := s.table[pos]
		if e == 0 {
			return 0, false
		}
		w := want | uint32(min(shift, shiftFar))<<s.slotBits
		if e&^s.slotMask() == w && *s.keyAt(e & s.slotMask()) == k {
			return pos, true
		}
		if pos++; pos == len(s.table) {
			pos = 0
		}
	}
}

// insert adds an entry for a key that the table does not have.
func (s *Set) insert(h uint64, slot uint32) {
	if 2*(s.used+1) > len(s.table) && len(s.table) < s.fullTable() {
		s.grow()
	}
	pos, shift := s.home(h), 0
	for s.table[pos] != 0 {
		shift++
		if pos++; pos == len(s.table) {
			pos = 0
		}
	}
	s.table[pos] = s.entry(h, slot, shift)
	s.used++
}

// grow moves every entry to a table of full size.
func (s *Set) grow() {
	old := s.table
	s.table = make([]uint32, s.fullTable())
	s.used = 0
	for _, e := range old {
		if e != 0 {
			slot := e & s.slotMask()
			s.insert(s.mix(*s.keyAt(slot)), slot)
		}
	}
}

// evict frees a slot of the ring and removes its entry. It says whether there
// was one.
func (s *Set) evict(slot uint32) bool {
	if s.ring[slot>>segmentBits] == nil {
		return false
	}
	k := s.keyAt(slot)
	if *k == (key{}) {
		return false
	}
	pos := s.home(s.mix(*k))
	for s.table[pos] == 0 || s.at(pos) != slot {
		if pos++; pos == len(s.table) {
			pos = 0
		}
	}
	s.remove(pos)
	*k = key{}
	return true
}

// remove frees a place in the table and draws later entries of the cluster
// nearer to their homes, so that no tombstones pile up.
func (s *Set) remove(pos int) {
	s.used--
	free := pos
	for next := pos; ; {
		if next++; next == len(s.table) {
			next = 0
		}
		e := s.table[next]
		if e == 0 {
			break
		}
		gap := next - free
		if gap < 0 {
			gap += len(s.table)
		}
		if shift := s.shift(e, next); shift >= gap {
			s.table[free] = s.withShift(e, shift-gap)
			free = next
		}
	}
	s.table[free] = 0
}

// shift is an entry's distance from home; only a far one needs the ring.
func (s *Set) shift(e uint32, pos int) int {
	if shift := int(e>>s.slotBits) & shiftFar; shift < shiftFar {
		return shift
	}
	shift := pos - s.home(s.mix(*s.keyAt(e & s.slotMask())))
	if shift < 0 {
		shift += len(s.table)
	}
	return shift
}

func (s *Set) withShift(e uint32, shift int) uint32 {
	return e&^(shiftFar<<s.slotBits) | uint32(min(shift, shiftFar))<<s.slotBits
}
