package clickhouse

import (
	"errors"
	"io"
)

// runStatement runs anything but an INSERT with rows in its body.
func runStatement(c *conn, req *request, out *response) error {
	sql := req.statement.sql + "\n" + req.marker()
	if streams(req) {
		return runStream(c, sql, req, out)
	}
	r, err := c.query(sql, req.format, req.params)
	if err != nil {
		return err
	}
	defer r.free()
	return out.write(r.data, r.counters)
}

// streams says whether the answer can be fetched piece by piece: the engine begins each piece as a document of its own.
func streams(req *request) bool {
	switch req.statement.verb {
	case "SELECT", "WITH", "FROM":
	default:
		return false
	}
	return formatOf(outputFormat(req)).pieces
}

// outputFormat is the statement's own FORMAT, else the request's.
func outputFormat(req *request) string {
	if req.statement.format != "" {
		return req.statement.format
	}
	return req.format
}

func runStream(c *conn, sql string, req *request, out *response) error {
	s, err := c.streamQuery(sql, req.format, req.params)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = out.write(r.data, r.counters)
		r.free()
		if err != nil {
			return err
		}
	}
}
