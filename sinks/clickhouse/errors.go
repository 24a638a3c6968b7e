package clickhouse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// ErrStop says that ClickHouse refused for a reason that only an operator can mend. What was read stays uncommitted.
var ErrStop = errors.New("hot sink stopped")

// verdict is what to do about an error of an insert.
type verdict int

const (
	retry verdict = iota
	split         // a row is refused: halve the block until it is alone
	stop
)

// tooManyParts says that merges lag, which passes, or that one insert holds too many partitions, which does not.
const tooManyParts = 252

// verdicts tells ClickHouse's codes apart (system.errors). Codes that are not here are retried a few times and then
// stop the sink: rows are not thrown out for a reason that nobody understands.
var verdicts = map[int]verdict{
	// Refused values.
	6: split, 25: split, 26: split, 27: split, 33: split, 38: split, 41: split, 53: split, 69: split, 70: split, 72: split,
	117: split, 131: split, 321: split, 349: split, 407: split, 469: split, 691: split, 395: split, 128: split,
	// Busy, broken off, or short of something that comes back.
	3: retry, 159: retry, 173: retry, 198: retry, 202: retry, 203: retry, 209: retry, 210: retry, 225: retry, 236: retry,
	241: retry, 242: retry, tooManyParts: retry, 279: retry, 285: retry, 319: retry, 341: retry, 373: retry, 394: retry, 425: retry,
	473: retry, 999: retry, 1000: retry, 1001: retry, 1002: retry, 74: retry, 201: retry, 254: retry, 286: retry, 289: retry, 384: retry,
	416: retry, 439: retry, 499: retry, 574: retry, 700: retry, 722: retry, 735: retry,
}

// stops are the codes that end the sink, with the word for each.
var stops = map[int]string{
	16: "the table lacks a column: run `coldstream migrate`", 60: "a table is missing: run `coldstream migrate`",
	47: "the table lacks a column: run `coldstream migrate`", 62: "ClickHouse does not understand the statement: it is not the one tested",
	81: "the database is missing: run `coldstream migrate`", 115: "ClickHouse does not know a setting: it is older than the one tested",
	164: "the user may only read", 192: "the user is unknown", 193: "the password is wrong", 194: "a password is needed",
	218: "a table was dropped: run `coldstream migrate`", 291: "the user lacks a right", 701: "the cluster is unknown to this server",
	243: "the disk is full", 396: "a limit on rows or bytes is exceeded", 497: "the user lacks a right", 516: "user or password is wrong",
}

// judge says what to do about err, and whether that is known rather than assumed.
func judge(err error) (v verdict, known bool) {
	var e *chhttp.Exception
	if !errors.As(err, &e) {
		return retry, true // the connection: the server may have taken the block or not, and takes it again
	}
	if _, ok := stops[e.Code]; ok {
		return stop, true
	}
	if strings.Contains(e.Text, "No space left on device") { // under one of several codes
		return stop, true
	}
	if e.Code == tooManyParts && strings.Contains(e.Text, "Too many partitions") {
		return split, true // of this insert alone; it would be refused for ever
	}
	if v, ok := verdicts[e.Code]; ok {
		return v, true
	}
	if e.Code == 0 {
		switch e.Status {
		case 401, 403:
			return stop, true
		default:
			return retry, true
		}
	}
	return retry, false
}

// stopError wraps err with the word for it.
func stopError(err error) error {
	word := "it needs an operator"
	var e *chhttp.Exception
	switch {
	case !errors.As(err, &e):
	case strings.Contains(e.Text, "No space left on device"):
		word = stops[243]
	case stops[e.Code] != "":
		word = stops[e.Code]
	}
	return fmt.Errorf("%w: %s: %w", ErrStop, word, err)
}
