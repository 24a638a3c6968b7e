package schemas

import "time"

// WindowLength is the length of a window of event time.
const WindowLength = 5 * time.Minute

const (
	microsPerWindow = int64(WindowLength / time.Microsecond)
	microsPerDay    = int64(24 * time.Hour / time.Microsecond)
)

// Window is a window of event time [Start, Start+5 min), by its start in Unix microseconds.
type Window int64

// WindowOf is the window of an event time in Unix microseconds, also before 1970.
func WindowOf(us int64) Window { return Window(floorDiv(us, microsPerWindow) * microsPerWindow) }

// Start is the first instant of the window, in UTC.
func (w Window) Start() time.Time { return time.UnixMicro(int64(w)).UTC() }

// End is the first instant after the window, in UTC.
func (w Window) End() time.Time { return w.Start().Add(WindowLength) }

// Day is the day of the window.
func (w Window) Day() Day { return DayOf(int64(w)) }

// Day counts days since 1970-01-01 UTC, as Iceberg's day transform does.
type Day int32

// DayOf is the day of an event time in Unix microseconds, also before 1970.
func DayOf(us int64) Day { return Day(floorDiv(us, microsPerDay)) }

// Start is the first instant of the day, in UTC.
func (d Day) Start() time.Time { return time.UnixMicro(int64(d) * microsPerDay).UTC() }

// String is the day as 2006-01-02.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
