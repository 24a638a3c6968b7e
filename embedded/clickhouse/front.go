package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// front is ClickHouse's HTTP interface over the engine.
type front struct {
	engine   *engine
	cfg      childConfig
	hosts    hostGuard
	wall     wall
	version  string
	slots    chan struct{} // one for each running request
	sessions *sessions
	running  sync.WaitGroup // requests

	control   *conn // keeps the engine alive; kills queries
	controlMu sync.Mutex
}

// maxQueries is how many requests may run at the same time; one more is refused with TOO_MANY_SIMULTANEOUS_QUERIES.
const maxQueries = 100

// newFront opens the connection that keeps the engine alive and makes the default database.
func newFront(e *engine, cfg childConfig, addr string) (*front, error) {
	control, err := e.connect()
	if err != nil {
		return nil, err
	}
	f := &front{engine: e, cfg: cfg, hosts: newHostGuard(cfg.Addr, addr), slots: make(chan struct{}, maxQueries), control: control}
	f.sessions = newSessions()
	if err := control.exec("CREATE DATABASE IF NOT EXISTS " + quoteName(cfg.Database)); err != nil {
		return nil, fmt.Errorf("make database %s: %w", cfg.Database, err)
	}
	if f.version, err = f.ask("SELECT version()"); err != nil {
		return nil, fmt.Errorf("ask the engine's version: %w", err)
	}
	engines, err := f.ask("SELECT name FROM system.table_engines UNION ALL SELECT name FROM system.database_engines")
	if err != nil {
		return nil, fmt.Errorf("ask for the engine's kinds of tables: %w", err)
	}
	f.wall = newWall(strings.Fields(engines), cfg.S3)
	return f, nil
}

// ask runs a query of the front's own.
func (f *front) ask(sql string) (string, error) {
	f.controlMu.Lock()
	defer f.controlMu.Unlock()
	r, err := f.control.query(sql, "TabSeparatedRaw", nil)
	if err != nil {
		return "", err
	}
	defer r.free()
	return strings.TrimSpace(string(r.data)), nil
}

// close ends the engine once the last request has let go of it.
func (f *front) close() {
	f.running.Wait()
	f.sessions.closeAll()
	f.controlMu.Lock()
	defer f.controlMu.Unlock()
	f.control.close()
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := f.hosts.refuse(r); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status":
		plain(w, "Ok.\n")
	case r.URL.Path == "/" && r.Method == http.MethodGet && !r.URL.Query().Has("query"):
		plain(w, "Ok.\n")
	case r.Method == http.MethodHead && (r.URL.Path == "/" || r.URL.Path == "/ping"):
		plain(w, "")
	case r.URL.Path != "/":
		http.Error(w, "There is no handle "+r.URL.Path+". Use / or /ping for health checks, or /?query=… for SQL.", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		http.Error(w, "Only GET, HEAD and POST are served here.", http.StatusMethodNotAllowed)
	default:
		f.serveQuery(w, r)
	}
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = io.WriteString(w, text)
}

// serveQuery runs one request from its password to its last byte.
func (f *front) serveQuery(w http.ResponseWriter, r *http.Request) {
	f.running.Add(1)
	defer f.running.Done()
	out := newResponse(w, r, f.version)
	user, err := f.authenticate(r)
	if err != nil {
		out.fail(err)
		return
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	default:
		out.fail(exception(codeTooManyQueries, fmt.Sprintf("Too many simultaneous queries. Maximum: %d", maxQueries), "TOO_MANY_SIMULTANEOUS_QUERIES"))
		return
	}
	req, err := readRequest(r, user)
	if err == nil {
		err = f.allowed(req)
	}
	if err != nil {
		out.fail(err)
		return
	}
	out.begin(req)
	if err := f.run(r.Context(), req, out); err != nil {
		out.fail(err)
		return
	}
	out.finish()
}

// allowed says whether the front lets the statement through to the engine, which judges for itself.
func (f *front) allowed(req *request) error {
	if req.user.analyst && changes(req.statement.verb) {
		return exception(codeReadonly, "Cannot execute query in readonly mode: "+req.user.name+" may only read", "READONLY")
	}
	return f.wall.refuse(req.statement.tokens)
}

// run gives the request a connection and runs its statement on it.
func (f *front) run(ctx context.Context, req *request, out *response) (err error) {
	c, release, err := f.acquire(req)
	if err != nil {
		return err
	}
	defer release()
	if err := req.prepare(c); err != nil {
		return err
	}
	marker := req.marker()
	stop := context.AfterFunc(ctx, func() { f.killUntil(marker, req.finished) })
	defer stop()
	defer close(req.finished)
	if req.statement.insert {
		return runInsert(c, req, out)
	}
	return runStatement(c, req, out)
}

// killUntil stops the marked query; it may not have begun yet, hence again and again until it has ended.
func (f *front) killUntil(marker string, finished <-chan struct{}) {
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		select {
		case <-finished:
			tick.Stop()
			return
		default:
			f.kill(marker)
		}
	}
}

// kill stops the queries whose text holds marker.
func (f *front) kill(marker string) {
	f.controlMu.Lock()
	defer f.controlMu.Unlock()
	// The text is put together so that this statement does not find itself.
	half := len(marker) / 2
	_ = f.control.exec(fmt.Sprintf("KILL QUERY WHERE position(query, concat(%s, %s)) > 0 ASYNC", quoteText(marker[:half]), quoteText(marker[half:])))
}

// killAll stops every query of the front.
func (f *front) killAll() { f.kill(markerPrefix) }

func quoteName(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

func quoteText(text string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(text) + "'"
}

// summary is X-ClickHouse-Summary.
func summary(c counters, started time.Time) string {
	text, _ := json.Marshal(map[string]string{
		"read_rows": num(c.readRows), "read_bytes": num(c.readBytes), "written_rows": num(c.writtenRows),
		"written_bytes": num(c.writtenBytes), "total_rows_to_read": "0", "result_rows": num(c.resultRows),
		"result_bytes": num(c.resultBytes), "elapsed_ns": strconv.FormatInt(time.Since(started).Nanoseconds(), 10),
	})
	return string(text)
}

func num(n uint64) string { return strconv.FormatUint(n, 10) }
