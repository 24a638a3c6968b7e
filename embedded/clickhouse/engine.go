package clickhouse

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// libchdb holds the library's C functions. The names are the library's own without the prefix "chdb_"; its header
// (chdb.h, 26.7) describes each. Text goes in as pointer and length; results are opaque handles that must be destroyed.
type libchdb struct {
	connect        func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn      func(conn unsafe.Pointer)
	destroyResult  func(result unsafe.Pointer)
	resultBuffer   func(result unsafe.Pointer) unsafe.Pointer
	resultLength   func(result unsafe.Pointer) uintptr
	resultError    func(result unsafe.Pointer) unsafe.Pointer
	rowsRead       func(result unsafe.Pointer) uint64
	bytesRead      func(result unsafe.Pointer) uint64
	storageRows    func(result unsafe.Pointer) uint64
	storageBytes   func(result unsafe.Pointer) uint64
	rowsWritten    func(result unsafe.Pointer) uint64
	bytesWritten   func(result unsafe.Pointer) uint64
	streamFetch    func(conn, result unsafe.Pointer) unsafe.Pointer
	streamCancel   func(conn, result unsafe.Pointer)
	insertAppend   func(stream, data unsafe.Pointer, length uintptr) int32
	insertDone     func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel   func(stream unsafe.Pointer)
	insertError    func(stream unsafe.Pointer) unsafe.Pointer
	destroyInsert  func(stream unsafe.Pointer)
	signalHandlers func(enabled int32)
	classify       func(conn, sql unsafe.Pointer, sqlLen uintptr, target unsafe.Pointer, targetLen uintptr, out unsafe.Pointer) int32

	// The three that take parameters share one shape: connection, SQL, format, names, values, count.
	query, stream, insert uintptr
}

// engine is the one ClickHouse engine of this process. Its methods may be called concurrently; it lives until the process ends.
type engine struct {
	lib  *libchdb
	args []string
}

// openEngine loads the library at path. args are the engine's options (--path=… first of all) and are given with
// every connection: the first connection boots the engine with them.
func openEngine(path string, args []string) (*engine, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	lib := &libchdb{}
	for name, fn := range map[string]any{
		"connect": &lib.connect, "close_conn": &lib.closeConn, "destroy_query_result": &lib.destroyResult,
		"result_buffer": &lib.resultBuffer, "result_length": &lib.resultLength, "result_error": &lib.resultError,
		"result_rows_read": &lib.rowsRead, "result_bytes_read": &lib.bytesRead,
		"result_storage_rows_read": &lib.storageRows, "result_storage_bytes_read": &lib.storageBytes,
		"result_rows_written": &lib.rowsWritten, "result_bytes_written": &lib.bytesWritten,
		"stream_fetch_result": &lib.streamFetch, "stream_cancel_query": &lib.streamCancel,
		"stream_append": &lib.insertAppend, "stream_done": &lib.insertDone, "stream_cancel_insert": &lib.insertCancel,
		"stream_insert_error": &lib.insertError, "destroy_insert_stream": &lib.destroyInsert,
		"set_signal_handlers_enabled": &lib.signalHandlers, "classify_query_n": &lib.classify,
	} {
		symbol, err := purego.Dlsym(handle, "chdb_"+name)
		if err != nil {
			return nil, fmt.Errorf("load %s: it lacks chdb_%s (version %s is needed): %w", path, name, Version, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	for name, symbol := range map[string]*uintptr{
		"query_with_params_n": &lib.query, "stream_query_with_params_n": &lib.stream, "stream_insert_with_params_n": &lib.insert,
	} {
		if *symbol, err = purego.Dlsym(handle, "chdb_"+name); err != nil {
			return nil, fmt.Errorf("load %s: it lacks chdb_%s (version %s is needed): %w", path, name, Version, err)
		}
	}
	lib.signalHandlers(0) // Go's runtime keeps its own
	return &engine{lib: lib, args: args}, nil
}

// connect opens a connection: one session with its own settings and temporary tables, one statement at a time.
func (e *engine) connect() (*conn, error) {
	argv := make([]unsafe.Pointer, 0, len(e.args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, arg := range append([]string{"clickhouse"}, e.args...) {
		b := append([]byte(arg), 0)
		pin.Pin(&b[0])
		argv = append(argv, unsafe.Pointer(&b[0]))
	}
	box := e.lib.connect(int32(len(argv)), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if box == nil {
		return nil, errors.New("open a connection to the engine: refused (its log says why)")
	}
	return &conn{lib: e.lib, box: box, handle: *(*unsafe.Pointer)(box)}, nil
}

// conn is one connection. Only one goroutine may use it at a time.
type conn struct {
	lib    *libchdb
	box    unsafe.Pointer // what close takes: a pointer to the handle
	handle unsafe.Pointer
}

// close ends the connection and whatever still runs on it. It may be called once.
func (c *conn) close() { c.lib.closeConn(c.box) }

// param is one server-side parameter: {name:Type} in the SQL.
type param struct{ name, value string }

// counters are what a statement read and wrote, in rows and bytes.
type counters struct {
	readRows, readBytes, writtenRows, writtenBytes, resultRows, resultBytes uint64
}

func (c *counters) add(o counters) {
	c.readRows += o.readRows
	c.readBytes += o.readBytes
	c.writtenRows += o.writtenRows
	c.writtenBytes += o.writtenBytes
	c.resultRows += o.resultRows
	c.resultBytes += o.resultBytes
}

// result is the whole or a piece of a statement's output. data is the library's memory, gone after free.
type result struct {
	counters
	data []byte
	lib  *libchdb
	ptr  unsafe.Pointer
}

func (r *result) free() {
	if r.ptr != nil {
		r.lib.destroyResult(r.ptr)
		r.ptr, r.data = nil, nil
	}
}

// query runs a statement and returns its whole output; the caller frees it. A refusal by the engine is an *Exception.
func (c *conn) query(sql, format string, params []param) (*result, error) {
	return c.take(c.call(c.lib.query, sql, format, params))
}

// exec runs a statement for its effect.
func (c *conn) exec(sql string) error {
	r, err := c.query(sql, "TabSeparated", nil)
	if err != nil {
		return err
	}
	r.free()
	return nil
}

// take wraps a library result, or turns it into the error that it holds.
func (c *conn) take(ptr unsafe.Pointer) (*result, error) {
	if ptr == nil {
		return nil, errors.New("the engine returned no result")
	}
	if message := cString(c.lib.resultError(ptr)); message != "" {
		c.lib.destroyResult(ptr)
		return nil, parseException(message)
	}
	r := &result{lib: c.lib, ptr: ptr}
	r.readRows, r.readBytes = c.lib.storageRows(ptr), c.lib.storageBytes(ptr)
	r.writtenRows, r.writtenBytes = c.lib.rowsWritten(ptr), c.lib.bytesWritten(ptr)
	r.resultRows, r.resultBytes = c.lib.rowsRead(ptr), c.lib.bytesRead(ptr)
	if n := c.lib.resultLength(ptr); n > 0 {
		r.data = unsafe.Slice((*byte)(c.lib.resultBuffer(ptr)), n)
	}
	return r, nil
}

// call runs one of the functions that take SQL, a format and parameters.
func (c *conn) call(fn uintptr, sql, format string, params []param) unsafe.Pointer {
	var pin runtime.Pinner
	defer pin.Unpin()
	names, nameLens := make([]unsafe.Pointer, len(params)), make([]uintptr, len(params))
	values, valueLens := make([]unsafe.Pointer, len(params)), make([]uintptr, len(params))
	for i, p := range params {
		names[i], nameLens[i] = pinned(&pin, p.name)
		values[i], valueLens[i] = pinned(&pin, p.value)
	}
	sqlPtr, sqlLen := pinned(&pin, sql)
	formatPtr, formatLen := pinned(&pin, format)
	var np, nl, vp, vl unsafe.Pointer
	if len(params) > 0 {
		np, nl, vp, vl = unsafe.Pointer(&names[0]), unsafe.Pointer(&nameLens[0]), unsafe.Pointer(&values[0]), unsafe.Pointer(&valueLens[0])
		for _, p := range []unsafe.Pointer{np, nl, vp, vl} {
			pin.Pin(p)
		}
	}
	r, _, _ := purego.SyscallN(fn, uintptr(c.handle), uintptr(sqlPtr), sqlLen, uintptr(formatPtr), formatLen,
		uintptr(np), uintptr(nl), uintptr(vp), uintptr(vl), uintptr(len(params)))
	return *(*unsafe.Pointer)(unsafe.Pointer(&r))
}

// pinned returns text as a pointer that stays valid while pin holds it, and its length. It is followed by a NUL.
func pinned(pin *runtime.Pinner, text string) (unsafe.Pointer, uintptr) {
	b := make([]byte, len(text)+1)
	copy(b, text)
	pin.Pin(&b[0])
	return unsafe.Pointer(&b[0]), uintptr(len(text))
}

func cString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}
