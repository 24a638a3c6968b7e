package clickhouse

import (
	"fmt"
	"io"
	"unsafe"
)

// stream is a SELECT whose output comes in pieces. Only one goroutine may use it at a time.
type stream struct {
	conn *conn
	ptr  unsafe.Pointer
	done bool
}

// streamQuery starts a statement whose output is fetched piece by piece; the caller closes the stream.
func (c *conn) streamQuery(sql, format string, params []param) (*stream, error) {
	r, err := c.take(c.call(c.lib.stream, sql, format, params))
	if err != nil {
		return nil, err
	}
	return &stream{conn: c, ptr: r.ptr}, nil
}

// next returns the following piece, which the caller frees, or io.EOF after the last one.
func (s *stream) next() (*result, error) {
	r, err := s.conn.take(s.conn.lib.streamFetch(s.conn.handle, s.ptr))
	if err != nil {
		s.done = true
		return nil, err
	}
	if len(r.data) == 0 {
		s.done = true
		r.free()
		return nil, io.EOF
	}
	return r, nil
}

// close stops the statement if it still runs and frees the stream.
func (s *stream) close() {
	if !s.done {
		s.conn.lib.streamCancel(s.conn.handle, s.ptr)
	}
	s.conn.lib.destroyResult(s.ptr)
}

// insert is an INSERT whose rows are pushed as bytes of its format.
type insert struct {
	conn *conn
	ptr  unsafe.Pointer
}

// streamInsert starts an INSERT without FORMAT clause or data; the caller closes it.
func (c *conn) streamInsert(sql, format string, params []param) (*insert, error) {
	ptr := c.call(c.lib.insert, sql, format, params)
	if ptr == nil {
		return nil, fmt.Errorf("start an insert: the engine returned nothing")
	}
	ins := &insert{conn: c, ptr: ptr}
	if message := cString(c.lib.insertError(ptr)); message != "" {
		ins.close()
		return nil, parseException(message)
	}
	return ins, nil
}

// Write pushes bytes; it waits while the engine is behind. io.ErrClosedPipe says that the engine has stopped reading:
// finish returns why.
func (i *insert) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	if i.conn.lib.insertAppend(i.ptr, unsafe.Pointer(&data[0]), uintptr(len(data))) != 0 {
		return 0, io.ErrClosedPipe
	}
	return len(data), nil
}

// finish says that all bytes are there, and returns what was written once it is committed.
func (i *insert) finish() (counters, error) {
	r, err := i.conn.take(i.conn.lib.insertDone(i.ptr))
	if err != nil {
		return counters{}, err
	}
	defer r.free()
	return r.counters, nil
}

// close frees the insert; one that was not finished is cancelled, and rows that were not yet committed are dropped.
func (i *insert) close() { i.conn.lib.destroyInsert(i.ptr) }
