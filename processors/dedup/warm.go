package dedup

// WarmRows is how many records one call of Warm is good for: as many as a core
// has loads under way, without driving the first out of its cache again.
const WarmRows = 32

// Warm touches the memory that Seen will need for the next records. A large set
// lies outside the caches, and Seen waits for memory two times a record, one
// after the other; here the waits of many records overlap. It decides nothing.
func (s *Set) Warm(ids []int64, hashes []uint64, offsets []int64) {
	var sum uint32
	for i, id := range ids {
		sum += s.table.get(s.table.home(s.mix(key{id, hashes[i]})))
	}
	for _, offset := range offsets { // what expires
		slot := s.slot(offset)
		if s.ring[slot>>segmentBits] != nil {
			sum += s.table.get(s.table.home(s.mix(*s.keyAt(slot))))
		}
	}
	s.warmed = sum
}
