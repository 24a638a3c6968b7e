package chhttp

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// Exception is an error that ClickHouse answered with.
type Exception struct {
	Code   int // of system.errors' list; 0 when the answer named none
	Status int // of HTTP; 0 when the answer had begun as a good one
	Text   string
}

func (e *Exception) Error() string {
	text := e.Text
	if len(text) > 600 {
		text = text[:600] + "…"
	}
	if e.Code == 0 {
		return fmt.Sprintf("clickhouse answered HTTP %d: %s", e.Status, text)
	}
	return "clickhouse: " + text
}

var codePattern = regexp.MustCompile(`Code: (\d+)\. DB::`)

// ParseException reads the text of an answer as an exception; the code is 0 where the text names none.
func ParseException(text string) *Exception {
	e := &Exception{Text: text}
	if m := codePattern.FindStringSubmatch(text); m != nil {
		e.Code = atoi(m[1])
	}
	return e
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// lateMarks begin an exception that comes after the header of a good answer: the block that servers since 25.x write,
// and the plain line of older ones. The formats asked for here escape line ends, so no text of a user's looks like one.
var lateMarks = [][]byte{[]byte("\r\n__exception__"), []byte("\nCode: "), []byte("__exception__"), []byte("Code: ")}

// lateException finds an exception at the end of an answer whose header said 200.
func lateException(answer []byte) error {
	tail := answer[max(0, len(answer)-16<<10):]
	for i, mark := range lateMarks {
		at := bytes.Index(tail, mark)
		if at < 0 || i >= 2 && (at != 0 || len(tail) < len(answer)) { // the last two only at the very beginning
			continue
		}
		if e := ParseException(string(bytes.TrimSpace(tail[at:]))); e.Code != 0 {
			return e
		}
	}
	return nil
}
