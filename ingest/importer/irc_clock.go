package importer

import "time"

const (
	day     = int64(24 * 60 * 60)
	halfDay = day / 2
	hour    = int64(60 * 60)
)

// clock turns the clock readings of one file into event times that never go back and never repeat.
//
// A log says minutes or seconds of a wall clock, and often only the date of its first line. So where the clock falls by
// an hour or more, midnight or noon has passed: what follows is carried on, by 12 hours where the whole file shows no
// hour above 12, else by a day, until a line or a remark of the log names another date. A smaller step back (a clock that
// was set) keeps the previous line's minute. Messages of one minute, or second, are told apart by milliseconds: the n-th
// of them is n-1 ms after its start. A minute has room for 60,000; a second with more than 1,000 runs on into the next.
type clock struct {
	zone  *time.Location
	step  int64 // seconds to carry on by
	date  int64 // days since 1970
	carry int64 // seconds
	wall  int64 // the last reading, carried, in seconds of the wall clock since 1970
	begun bool
	last  int64 // Unix milliseconds of the last message
	some  bool
}

func newClock(s *survey, zone *time.Location) *clock {
	c := &clock{zone: zone, step: day, date: s.date}
	if s.maxHour <= 12 {
		c.step = halfDay
	}
	return c
}

// setDate says that the following readings are of this day.
func (c *clock) setDate(date int64) {
	if date != c.date {
		c.date, c.carry = date, 0
	}
}

// advance takes a reading, in seconds since midnight.
func (c *clock) advance(seconds int) {
	wall := c.date*day + int64(seconds) + c.carry
	if c.begun {
		if fall := c.wall - wall; fall >= hour {
			steps := (fall-hour)/c.step + 1
			c.carry += steps * c.step
			wall += steps * c.step
		}
		wall = max(wall, c.wall)
	}
	c.wall, c.begun = wall, true
}

// stamp is the time of a message at the last reading.
func (c *clock) stamp() time.Time {
	t := time.Unix(c.wall, 0).UTC()
	ms := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, c.zone).UnixMilli()
	if c.some && ms <= c.last {
		ms = c.last + 1
	}
	c.last, c.some = ms, true
	return time.UnixMilli(ms).UTC()
}
