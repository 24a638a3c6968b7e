package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// A Snowflake is 42 bits of milliseconds since an epoch, 5 of worker, 5 of process and 12 of sequence
// (Discord's layout), held in a signed 64-bit number: an id from before the epoch is negative and still sorts by time.
const (
	// SnowflakeTimeShift is the number of bits below the time.
	SnowflakeTimeShift = 22
	snowflakeLowMask   = 1<<SnowflakeTimeShift - 1
	snowflakeSpan      = int64(1) << 41 // milliseconds on each side of the epoch
	sequenceMask       = 1<<12 - 1
	workerMask         = 1<<5 - 1
)

// Epoch is the zero of Snowflake time, in milliseconds since 1970-01-01 UTC. `init` freezes it for a deployment.
type Epoch int64

// DiscordEpoch is 2015-01-01T00:00:00Z, the default.
const DiscordEpoch Epoch = 1420070400000

// Millis returns the time of a Snowflake in Unix milliseconds.
func (e Epoch) Millis(id int64) int64 { return id>>SnowflakeTimeShift + int64(e) }

// Time returns the time of a Snowflake, in UTC.
func (e Epoch) Time(id int64) time.Time { return time.UnixMilli(e.Millis(id)).UTC() }

// Contains reports whether a Unix time in milliseconds can be said by a Snowflake of this epoch: the epoch ± 2⁴¹ ms.
func (e Epoch) Contains(ms int64) bool {
	d := ms - int64(e)
	return d >= -snowflakeSpan && d < snowflakeSpan
}

// ID composes a Snowflake from Unix milliseconds and its low 22 bits. The caller has checked Contains.
func (e Epoch) ID(ms int64, low uint64) int64 {
	return (ms-int64(e))<<SnowflakeTimeShift | int64(low&snowflakeLowMask)
}

// SnowflakeParts are the fields of a Snowflake.
type SnowflakeParts struct {
	ID       int64
	Time     time.Time
	Worker   int
	Process  int
	Sequence int
}

// Parts takes a Snowflake apart.
func (e Epoch) Parts(id int64) SnowflakeParts {
	return SnowflakeParts{
		ID: id, Time: e.Time(id),
		Worker:   int(id >> 17 & workerMask),
		Process:  int(id >> 12 & workerMask),
		Sequence: int(id & sequenceMask),
	}
}

// ParseSnowflake reads a decimal 64-bit id, negative ones included.
func ParseSnowflake(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("snowflake %q: want a decimal number of 64 bits", s)
	}
	return id, nil
}

// ErrClockAhead is returned by Generator.Next when the ids handed out would run too far ahead of the clock.
var ErrClockAhead = errors.New("snowflake generator is ahead of its clock")

// maxAhead bounds how far ids may run ahead of the clock (4,096 ids a millisecond fit): about a second's worth
// of ids beyond what the clock allows, or a clock that was set back by as much.
const maxAhead = time.Second

// Generator makes increasing Snowflakes. It is safe for many goroutines. When the clock goes back, or more than
// 4,096 ids are asked in a millisecond, it goes on from its last time; past one second ahead it returns ErrClockAhead.
type Generator struct {
	mu    sync.Mutex
	epoch Epoch
	low   int64
	now   func() time.Time
	last  int64 // Unix milliseconds of the last id
	seq   int64
}

// NewGenerator returns a generator for a worker and a process (0 to 31 each). now is time.Now if nil.
func NewGenerator(epoch Epoch, worker, process int, now func() time.Time) (*Generator, error) {
	if worker < 0 || worker > workerMask || process < 0 || process > workerMask {
		return nil, fmt.Errorf("snowflake generator: worker %d and process %d must be 0 to %d", worker, process, workerMask)
	}
	if now == nil {
		now = time.Now
	}
	return &Generator{epoch: epoch, low: int64(worker)<<17 | int64(process)<<12, now: now, last: -1 << 62}, nil
}

// Next returns the next id, larger than every id before it.
func (g *Generator) Next() (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now().UnixMilli()
	last, seq := g.last, g.seq
	switch {
	case now > last:
		last, seq = now, 0
	case seq < sequenceMask:
		seq++
	default:
		last, seq = last+1, 0
	}
	if last-now > maxAhead.Milliseconds() {
		return 0, fmt.Errorf("%w by %v: the clock went back or ids were asked too fast", ErrClockAhead, time.Duration(last-now)*time.Millisecond)
	}
	if !g.epoch.Contains(last) {
		return 0, fmt.Errorf("snowflake generator: %v is outside what a Snowflake can hold", time.UnixMilli(last).UTC())
	}
	g.last, g.seq = last, seq
	return g.epoch.ID(last, uint64(g.low|seq)), nil
}
