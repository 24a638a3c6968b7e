package dedup

import "math/bits"

// table is an open-addressing table of four-byte entries, 0 for a free place.
// It lies in segments that are made when they are first written, so that no
// insertion waits for more than one of them to be zeroed.
type table struct {
	segs []*[segmentSize]uint32
	n    int // places, at most
	made int // segments that are not nil
	used int // entries
}

func newTable(n int) *table {
	return &table{segs: make([]*[segmentSize]uint32, (n+segmentSize-1)/segmentSize), n: n}
}

func (t *table) get(pos int) uint32 {
	if seg := t.segs[pos>>segmentBits]; seg != nil {
		return seg[pos&(segmentSize-1)]
	}
	return 0
}

func (t *table) set(pos int, e uint32) {
	seg := &t.segs[pos>>segmentBits]
	if *seg == nil {
		*seg = new([segmentSize]uint32)
		t.made++
	}
	(*seg)[pos&(segmentSize-1)] = e
}

func (t *table) next(pos int) int {
	if pos++; pos == t.n {
		return 0
	}
	return pos
}

func (t *table) clear() {
	for _, seg := range t.segs {
		if seg != nil {
			clear(seg[:])
		}
	}
	t.used = 0
}

func (t *table) bytes() int64 { return int64(t.made)*segmentSize*4 + int64(len(t.segs))*8 }

// home is where a key's entry belongs. The table's length is no power of two,
// so the upper half of a product stands for the remainder.
func (t *table) home(h uint64) int {
	hi, _ := bits.Mul64(h, uint64(t.n))
	return int(hi)
}

// The table starts small and becomes full-sized once, when the window is filled
// to 1/smallPart, so that a quiet partition stays at a few per cent of the
// budget. The old table is then emptied a few places with every record.
const (
	smallPart = 64
	moveStep  = 16

	// moved stands in an emptied place of the old table. No entry has its value,
	// since an entry's tag is never 0.
	moved = 1
)

// firstTable is the length of the table of a new set.
func (s *Set) firstTable() int {
	return max(min(int(s.window)/smallPart*2, s.fullTable()), min(s.fullTable(), 64))
}

// fullTable is the length at which a full window fills half of the table; a
// little less where the pointers to segments have to fit the budget too.
func (s *Set) fullTable() int {
	n := int(s.window)
	if n <= segmentSize {
		return 2 * n
	}
	return 2*n - max(n/512, segmentSize)
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

// find gives the position of a key's entry in the table. One that is still in
// the old table is moved on the way.
func (s *Set) find(k key, h uint64) (int, bool) {
	pos, ok := s.findIn(s.table, k, h)
	if ok || s.old == nil {
		return pos, ok
	}
	if pos, ok = s.findIn(s.old, k, h); !ok {
		return 0, false
	}
	slot := s.old.get(pos) & s.slotMask()
	s.takeOut(pos)
	return s.place(h, slot), true
}

func (s *Set) findIn(t *table, k key, h uint64) (int, bool) {
	pos := t.home(h)
	want := s.entry(h, 0, 0)
	for shift := 0; ; shift++ {
		e := t.get(pos)
		if e == 0 {
			return 0, false
		}
		w := want | uint32(min(shift, shiftFar))<<s.slotBits
		if e&^s.slotMask() == w && *s.keyAt(e & s.slotMask()) == k {
			return pos, true
		}
		pos = t.next(pos)
	}
}

// insert adds an entry for a key that neither table has.
func (s *Set) insert(h uint64, slot uint32) {
	if t := s.table; 2*(t.used+1) > t.n && t.n < s.fullTable() {
		s.old, s.cursor, s.table = t, 0, newTable(s.fullTable())
	}
	s.place(h, slot)
}

// place puts an entry into the table and gives its position.
func (s *Set) place(h uint64, slot uint32) int {
	t := s.table
	pos, shift := t.home(h), 0
	for t.get(pos) != 0 {
		shift++
		pos = t.next(pos)
	}
	t.set(pos, s.entry(h, slot, shift))
	t.used++
	return pos
}

// move carries a few places of the old table over.
func (s *Set) move() {
	end := min(s.cursor+moveStep, s.old.n)
	for ; s.cursor < end; s.cursor++ {
		e := s.old.get(s.cursor)
		if e == 0 || e == moved {
			continue
		}
		slot := e & s.slotMask()
		s.takeOut(s.cursor)
		s.place(s.mix(*s.keyAt(slot)), slot)
	}
	if s.cursor == s.old.n {
		s.old = nil
	}
}

// takeOut empties a place of the old table, whose clusters stay as they are.
func (s *Set) takeOut(pos int) {
	s.old.set(pos, moved)
	s.old.used--
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
	h := s.mix(*k)
	if pos, ok := s.findSlot(s.table, h, slot); ok {
		s.remove(pos)
	} else if pos, ok := s.findSlot(s.old, h, slot); ok {
		s.takeOut(pos)
	}
	*k = key{}
	return true
}

// findSlot gives the position of the entry that points to a slot, whose key's
// hash is h. There may be no table.
func (s *Set) findSlot(t *table, h uint64, slot uint32) (int, bool) {
	if t == nil {
		return 0, false
	}
	for pos := t.home(h); ; pos = t.next(pos) {
		switch e := t.get(pos); {
		case e == 0:
			return 0, false
		case e&s.slotMask() == slot && e != moved:
			return pos, true
		}
	}
}

// remove frees a place in the table and draws later entries of the cluster
// nearer to their homes, so that no tombstones pile up.
func (s *Set) remove(pos int) {
	t := s.table
	t.used--
	free := pos
	for next := pos; ; {
		next = t.next(next)
		e := t.get(next)
		if e == 0 {
			break
		}
		gap := next - free
		if gap < 0 {
			gap += t.n
		}
		if shift := s.shift(e, next); shift >= gap {
			t.set(free, s.withShift(e, shift-gap))
			free = next
		}
	}
	t.set(free, 0)
}

// shift is an entry's distance from home; only a far one needs the ring.
func (s *Set) shift(e uint32, pos int) int {
	if shift := int(e>>s.slotBits) & shiftFar; shift < shiftFar {
		return shift
	}
	shift := pos - s.table.home(s.mix(*s.keyAt(e & s.slotMask())))
	if shift < 0 {
		shift += s.table.n
	}
	return shift
}

func (s *Set) withShift(e uint32, shift int) uint32 {
	return e&^(shiftFar<<s.slotBits) | uint32(min(shift, shiftFar))<<s.slotBits
}
