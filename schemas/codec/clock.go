package codec

import (
	"encoding/binary"
	"time"
)

// clock reads times of RFC 3339 in UTC, and remembers the last date: events of one day follow one another.
type clock struct {
	date [10]byte
	us   int64 // of the date's midnight
}

// parse gives Unix microseconds of a time such as 2023-05-10T14:30:00.123Z; false for anything else, which may still be
// a time of RFC 3339. Digits beyond the sixth are cut.
func (c *clock) parse(p []byte) (us int64, ok bool) {
	if len(p) < 20 || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[len(p)-1] != 'Z' {
		return 0, false
	}
	if [10]byte(p) != c.date && !c.setDate([10]byte(p)) {
		return 0, false
	}
	hour, minute, second := two(p[11:]), two(p[14:]), two(p[17:])
	if hour > 23 || minute > 59 || second > 59 { // above 99 where a byte is no digit
		return 0, false
	}
	us = c.us + int64(hour*3600+minute*60+second)*1e6
	part := p[19 : len(p)-1]
	if len(part) == 0 {
		return us, true
	}
	if part[0] != '.' || len(part) < 2 {
		return 0, false
	}
	unit := int64(100_000)
	for _, d := range part[1:] {
		if d < '0' || d > '9' {
			return 0, false
		}
		us += int64(d-'0') * unit
		unit /= 10
	}
	return us, true
}

// setDate remembers a date, unless it is none.
func (c *clock) setDate(p [10]byte) bool {
	t, err := time.Parse(time.DateOnly, string(p[:]))
	if err != nil {
		return false
	}
	c.date, c.us = p, t.UnixMicro()
	return true
}

// two is a number of two digits; a large one where they are none.
func two(p []byte) uint {
	w := uint(binary.LittleEndian.Uint16(p))
	tens, unit := w&0xff-'0', w>>8-'0'
	if tens > 9 || unit > 9 {
		return 1000
	}
	return tens*10 + unit
}
