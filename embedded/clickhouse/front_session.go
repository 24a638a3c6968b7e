package clickhouse

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sessions end after this long without a request, and may ask for at most maxSessionTimeout.
const (
	sessionTimeout    = time.Minute
	maxSessionTimeout = time.Hour
)

// sessionRequest is what a request says about its session.
type sessionRequest struct {
	id      string
	timeout time.Duration
	check   bool // it must exist
}

func (s *sessionRequest) take(name, value string) error {
	switch name {
	case "session_id":
		s.id = value
	case "session_check":
		s.check = isTrue(value)
	case "session_timeout":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no number of seconds", value)
		}
		s.timeout = min(time.Duration(n)*time.Second, maxSessionTimeout)
	}
	return nil
}

// session is a connection that lives from request to request.
type session struct {
	conn  *conn
	busy  bool
	timer *time.Timer
}

// sessions are the living ones, by user and session_id.
type sessions struct {
	mu  sync.Mutex
	all map[string]*session
}

func newSessions() *sessions { return &sessions{all: map[string]*session{}} }

// acquire returns a connection for the request and what gives it back. An analyst's is always new: it has been made
// read-only for good.
func (f *front) acquire(req *request) (*conn, func(), error) {
	if req.session.id == "" || req.user.analyst {
		c, err := f.connect()
		if err != nil {
			return nil, nil, err
		}
		return c, c.close, nil
	}
	return f.sessions.acquire(req.user.name+"\x00"+req.session.id, req, f.connect)
}

func (f *front) connect() (*conn, error) {
	c, err := f.engine.connect()
	if err != nil {
		return nil, err
	}
	if err := c.exec("USE " + quoteName(f.cfg.Database)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (s *sessions) acquire(key string, req *request, connect func() (*conn, error)) (*conn, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[key]
	switch {
	case one != nil && one.busy:
		return nil, nil, exception(codeSessionLocked, "Session "+req.session.id+" is locked by a concurrent client", "SESSION_IS_LOCKED")
	case one == nil && req.session.check:
		return nil, nil, exception(codeSessionNotFound, "Session "+req.session.id+" not found", "SESSION_NOT_FOUND")
	case one == nil:
		c, err := connect()
		if err != nil {
			return nil, nil, err
		}
		one = &session{conn: c}
		s.all[key] = one
	}
	if req.method == http.MethodGet && changes(req.statement.verb) {
		return nil, nil, exception(codeReadonly, "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries", "READONLY")
	}
	restore, err := one.remember(req)
	if err != nil {
		return nil, nil, err
	}
	if one.timer != nil {
		one.timer.Stop()
	}
	one.busy = true
	return one.conn, func() { restore(); s.release(key, one, req.session.timeout) }, nil
}

// release gives the session back and sets its clock.
func (s *sessions) release(key string, one *session, timeout time.Duration) {
	if timeout == 0 {
		timeout = sessionTimeout
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one.busy = false
	one.timer = time.AfterFunc(timeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.all[key] == one && !one.busy {
			delete(s.all, key)
			one.conn.close()
		}
	})
}

func (s *sessions) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.all {
		if one.timer != nil {
			one.timer.Stop()
		}
		one.conn.close()
		delete(s.all, key)
	}
}

// remember notes the database and the settings that the request changes for itself, and returns what puts them back:
// in ClickHouse a URL parameter lasts for its request, USE and SET for the session.
func (one *session) remember(req *request) (restore func(), err error) {
	var undo []string
	if req.database != "" {
		r, err := one.conn.query("SELECT currentDatabase()", "TabSeparatedRaw", nil)
		if err != nil {
			return nil, err
		}
		undo = append(undo, "USE "+quoteName(strings.TrimSuffix(string(r.data), "\n")))
		r.free()
	}
	for _, s := range req.settings {
		if s.name == "readonly" {
			return nil, exception(codeBadArguments, "readonly cannot be a URL parameter within a session: SET it", "BAD_ARGUMENTS")
		}
		r, err := one.conn.query("SELECT changed, value FROM system.settings WHERE name = "+quoteText(s.name), "TabSeparatedRaw", nil)
		if err != nil {
			return nil, err
		}
		value := "DEFAULT"
		if text := string(r.data); strings.HasPrefix(text, "1\t") {
			value = quoteText(strings.TrimSuffix(text[2:], "\n"))
		}
		r.free()
		undo = append(undo, "SET "+s.name+" = "+value)
	}
	return func() {
		for _, sql := range undo {
			_ = one.conn.exec(sql) // a database that was dropped meanwhile stays left
		}
	}, nil
}

// changes says whether a statement that begins with this word may change something.
func changes(verb string) bool {
	switch verb {
	case "SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "USE", "SET":
		return false
	}
	return true
}
