package clickhouse

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// maxStatement is how long a statement may be, in bytes, as far as it comes in the body: the rest of an INSERT is rows.
const maxStatement = 1 << 20

// markerPrefix begins the comment by which a running query is found.
const markerPrefix = "/* coldstream request "

// request is one HTTP request, read as far as its statement.
type request struct {
	user      user
	method    string
	started   time.Time
	id        string // query_id, the client's or made up
	secret    string // in the marker, so that no client can kill another's by its id
	database  string
	format    string // default_format
	settings  []setting
	params    []param
	revision  uint64 // client_protocol_version
	compress  bool   // answer in ClickHouse's frames
	codec     codec  // of those frames
	http      bool   // enable_http_compression
	wait      bool   // wait_end_of_query
	session   sessionRequest
	statement statement
	rows      io.Reader // an INSERT's rows
	finished  chan struct{}
}

// setting is one of the engine's settings, by the request.
type setting struct{ name, value string }

// notSettings are URL parameters that are not the engine's settings.
var notSettings = map[string]bool{
	"query": true, "user": true, "password": true, "quota_key": true, "role": true, "stacktrace": true, "buffer_size": true,
	"close_session": true, "http_response_headers": true,
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// readRequest reads the URL, and the body as far as the statement goes.
func readRequest(r *http.Request, u user) (*request, error) {
	query := r.URL.Query()
	req := &request{
		user: u, method: r.Method, started: time.Now(), id: newID(), secret: newID(), codec: codecLZ4,
		format: r.Header.Get("X-ClickHouse-Format"), database: r.Header.Get("X-ClickHouse-Database"), finished: make(chan struct{}),
	}
	decompress := false
	for _, name := range sortedKeys(query) {
		if err := req.take(name, query.Get(name), &decompress); err != nil {
			return nil, err
		}
	}
	if req.format == "" {
		req.format = "TabSeparated"
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, exception(codeNotImplemented, "External tables (multipart/form-data) are not served: use a temporary table in a session", "NOT_IMPLEMENTED")
	}
	body, err := requestBody(r, decompress)
	if err != nil {
		return nil, err
	}
	if err := req.readStatement(query.Get("query"), body); err != nil {
		return nil, err
	}
	return req, nil
}

// take reads one URL parameter.
func (req *request) take(name, value string, decompress *bool) (err error) {
	switch name {
	case "database":
		req.database = value
	case "default_format":
		req.format = value
	case "query_id":
		if value != "" {
			req.id = value
		}
	case "client_protocol_version":
		req.revision, err = strconv.ParseUint(value, 10, 32)
	case "compress":
		req.compress = isTrue(value)
	case "decompress":
		*decompress = isTrue(value)
	case "enable_http_compression":
		req.http = isTrue(value)
	case "wait_end_of_query":
		req.wait = isTrue(value)
	case "network_compression_method":
		req.codec, err = parseCodec(value)
	case "session_id", "session_timeout", "session_check":
		err = req.session.take(name, value)
	default:
		return req.takeSetting(name, value)
	}
	if err != nil {
		return exception(codeBadRequestParam, "Bad value of URL parameter "+name+": "+value, "BAD_REQUEST_PARAMETER")
	}
	return nil
}

func (req *request) takeSetting(name, value string) error {
	switch {
	case strings.HasPrefix(name, "param_"):
		req.params = append(req.params, param{name[len("param_"):], value})
	case notSettings[name]:
	case !settingName.MatchString(name):
		return exception(codeBadRequestParam, "Bad name of a URL parameter: "+strconv.Quote(name), "BAD_REQUEST_PARAMETER")
	case req.user.analyst && (name == "readonly" || name == "allow_ddl"):
	default:
		if err := refuseSetting(name); err != nil {
			return err
		}
		req.settings = append(req.settings, setting{name, value})
	}
	return nil
}

// readStatement puts the statement together: what the URL says, then the body. Without query= the body holds both the
// statement and, after an INSERT, its rows.
func (req *request) readStatement(text string, body io.Reader) (err error) {
	if strings.TrimSpace(text) != "" {
		if req.statement, err = parseStatement(text); err != nil {
			return err
		}
		if req.statement.insert {
			// Rows may begin in the URL and go on in the body.
			head := ""
			if req.statement.data < len(text) {
				head = text[req.statement.data:] + "\n"
			}
			req.rows = io.MultiReader(strings.NewReader(head), body)
			return nil
		}
		rest, err := io.ReadAll(io.LimitReader(body, maxStatement+1))
		if err != nil {
			return bodyError(err)
		}
		if len(bytes.TrimSpace(rest)) > 0 {
			return req.whole(text+"\n"+string(rest), nil)
		}
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(body, maxStatement))
	if err != nil {
		return bodyError(err)
	}
	return req.whole(string(head), body)
}

// whole parses a text that holds the statement and maybe the first rows, the rest of which come from body.
func (req *request) whole(text string, body io.Reader) (err error) {
	if req.statement, err = parseStatement(text); err != nil {
		return err
	}
	if body == nil {
		body = strings.NewReader("")
	}
	if req.statement.insert {
		req.rows = io.MultiReader(strings.NewReader(text[min(req.statement.data, len(text)):]), body)
		return nil
	}
	if len(text) >= maxStatement {
		if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
			return exception(223, "The statement is longer than 1 MiB", "QUERY_IS_TOO_LARGE")
		}
	}
	return nil
}

func (req *request) marker() string { return markerPrefix + req.secret + " */" }

// prepare gives the connection what the request says: database, settings, read-only last.
func (req *request) prepare(c *conn) error {
	if req.database != "" {
		if err := c.exec("USE " + quoteName(req.database)); err != nil {
			return err
		}
	}
	readonly := ""
	var set []string
	for _, s := range req.settings {
		if s.name == "readonly" {
			readonly = s.value
			continue
		}
		set = append(set, s.name+" = "+quoteText(s.value))
	}
	if len(set) > 0 {
		if err := c.exec("SET " + strings.Join(set, ", ")); err != nil {
			return err
		}
	}
	switch {
	case req.user.analyst:
		readonly = "1"
	case req.method == http.MethodGet && (readonly == "" || readonly == "0") && req.session.id == "":
		readonly = "2" // as ClickHouse does: a link must not change anything
	}
	if readonly != "" {
		return c.exec("SET readonly = " + quoteText(readonly))
	}
	return nil
}

func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func sortedKeys(v url.Values) []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
