package clickhouse

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Exception is an error in ClickHouse's words, of the engine or of the front.
type Exception struct {
	Code int    // ClickHouse's error code, 0 if it has none
	Text string // "Code: 60. DB::Exception: … (UNKNOWN_TABLE)"
}

// Error implements error.
func (e *Exception) Error() string { return e.Text }

// ClickHouse's codes that the front itself uses.
const (
	codeBadArguments     = 36
	codeSyntaxError      = 62
	codeReadonly         = 164
	codeRequiredPassword = 194
	codeTooManyQueries   = 202
	codeSessionNotFound  = 372
	codeSessionLocked    = 373
	codeCancelled        = 394
	codeAccessDenied     = 497
	codeAuthentication   = 516
	codeUnknownException = 1002
	codeNotImplemented   = 48
	codeBadRequestParam  = 568
	codeIncorrectData    = 117
)

func exception(code int, text, name string) *Exception {
	return &Exception{Code: code, Text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, strings.TrimSuffix(text, "."), name)}
}

var exceptionCode = regexp.MustCompile(`^Code: (\d+)\.`)

// parseException reads the engine's error text.
func parseException(text string) *Exception {
	e := &Exception{Code: codeUnknownException, Text: strings.TrimRight(text, "\n")}
	if m := exceptionCode.FindStringSubmatch(text); m != nil {
		e.Code, _ = strconv.Atoi(m[1])
	} else {
		e.Text = "Code: 1002. DB::Exception: " + e.Text + ". (UNKNOWN_EXCEPTION)"
	}
	return e
}

// asException gives any error ClickHouse's form.
func asException(err error) *Exception {
	var e *Exception
	if errors.As(err, &e) {
		return e
	}
	return parseException(err.Error())
}

// statusOf is the HTTP status ClickHouse answers with, by code (its HTTPHandler's own table); 500 for the rest.
var statusOf = map[int]int{
	codeRequiredPassword: http.StatusUnauthorized,
	192:                  http.StatusForbidden, 193: http.StatusForbidden, codeAuthentication: http.StatusForbidden,
	codeAccessDenied: http.StatusForbidden,
	36:               http.StatusBadRequest, 427: http.StatusBadRequest, 69: http.StatusBadRequest, 41: http.StatusBadRequest,
	38: http.StatusBadRequest, 26: http.StatusBadRequest, 27: http.StatusBadRequest, 72: http.StatusBadRequest,
	6: http.StatusBadRequest, 62: http.StatusBadRequest, 117: http.StatusBadRequest, 130: http.StatusBadRequest,
	43: http.StatusBadRequest, 53: http.StatusBadRequest, 70: http.StatusBadRequest, codeBadRequestParam: http.StatusBadRequest,
	376: http.StatusBadRequest, 441: http.StatusBadRequest, 675: http.StatusBadRequest, 676: http.StatusBadRequest,
	457: http.StatusBadRequest, 456: http.StatusBadRequest,
	46: http.StatusNotFound, 47: http.StatusNotFound, 50: http.StatusNotFound, 56: http.StatusNotFound, 60: http.StatusNotFound,
	63: http.StatusNotFound, 73: http.StatusNotFound, 81: http.StatusNotFound, 115: http.StatusNotFound, 16: http.StatusNotFound,
	codeSessionNotFound: http.StatusNotFound,
	223:                 http.StatusRequestEntityTooLarge, 48: http.StatusNotImplemented, 76: http.StatusServiceUnavailable,
	159: http.StatusRequestTimeout, codeSessionLocked: http.StatusConflict, codeTooManyQueries: http.StatusServiceUnavailable,
}

func (e *Exception) status() int {
	if status, ok := statusOf[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}
