package schemas

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
)

// Ids that are not Snowflakes are opaque: a text that Coldstream keeps beside a number derived from it.

const (
	opaqueMask   = 0x7fffffffffffffff
	nearEpoch    = 30 * 24 * time.Hour
	clockSlackMS = int64(24 * time.Hour / time.Millisecond)
)

// HashRef is the 64-bit hash that stands beside an opaque id in every key: XXH3-64 of its text. It is never 0,
// which means "a Snowflake".
func HashRef[T string | []byte](text T) uint64 {
	h := xxh3.HashString(string(text))
	if h == 0 {
		return 1
	}
	return h
}

// OpaqueNumber is the number of an opaque channel, guild or user id: xxh3(text) & 0x7fffffffffffffff, a function
// that ClickHouse has too.
func OpaqueNumber(hash uint64) int64 { return int64(hash & opaqueMask) }

// OpaqueID is the number of an opaque event or message id: a Snowflake of the event's time in Unix milliseconds,
// with 22 bits of the text's hash.
func (e Epoch) OpaqueID(ms int64, hash uint64) int64 { return e.ID(ms, hash) }

// ParseDecimal reads a canonical decimal id of 64 bits: an optional minus sign and digits without leading zeros.
// Everything else is an opaque text, so that two texts never become one number.
func ParseDecimal(s []byte) (int64, bool) {
	d := s
	if len(d) > 0 && d[0] == '-' {
		d = d[1:]
	}
	if len(d) == 0 || len(d) > 19 || d[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var u uint64
	rest := d
	for ; len(rest) >= 8; rest = rest[8:] {
		n, ok := eightDigits(binary.LittleEndian.Uint64(rest))
		if !ok {
			return 0, false
		}
		u = u*1e8 + n
	}
	for _, c := range rest {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	switch {
	case len(d) == len(s):
		return int64(u), u <= opaqueMask
	case u > 1<<63:
		return 0, false
	default:
		return -int64(u), true
	}
}

// eightDigits is the number of eight decimal digits, the first in the lowest byte; false where one is none. Neighbours
// are joined to pairs, pairs to fours, those to eight (Lemire, https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits).
func eightDigits(w uint64) (uint64, bool) {
	w -= 0x3030303030303030
	if (w|(w+0x7676767676767676))&0x8080808080808080 != 0 { // below 0, which has borrowed, or above 9
		return 0, false
	}
	w = w*10 + w>>8
	const mask = 0x000000ff000000ff
	return ((w&mask)*(100+1_000_000<<32) + (w>>16&mask)*(1+10_000<<32)) >> 32, true
}

// IsSnowflake judges a decimal event or message id: it is a Snowflake of ours unless its time lies within 30 days
// of the epoch (small numbers of another rule do), or more than a day after its record's time. own is the event's own
// timestamp in Unix milliseconds if hasOwn; within a day of the id's time it lifts the first suspicion. record is the
// record's time, or negative when unknown.
func (e Epoch) IsSnowflake(id, own int64, hasOwn bool, record int64) bool {
	ms := e.Millis(id)
	if record >= 0 && ms > record+clockSlackMS {
		return false
	}
	d := ms - int64(e)
	if d > nearEpoch.Milliseconds() || d < -nearEpoch.Milliseconds() {
		return true
	}
	return hasOwn && own-ms <= clockSlackMS && ms-own <= clockSlackMS
}

// FormatID is the text of an id: the opaque text if there is one, else the number.
func FormatID(id int64, ref string) string {
	if ref != "" {
		return ref
	}
	return strconv.FormatInt(id, 10)
}
