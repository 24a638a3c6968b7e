package clickhouse

import (
	"errors"
	"io"
	"strings"
)

// runStatement runs anything but an INSERT with rows in its body.
func runStatement(c *conn, req *request, out *response) error {
	if text, ok := hello(req); ok {
		return out.write(text, counters{})
	}
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
	return formatOf(out(req)).pieces
}

func out(req *request) string {
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

// helloQuery is how clickhouse-go begins. The engine writes Native blocks without a revision's additions; telling the
// client that the server's revision is 0 makes it read just these. The answer itself is in the revision asked for.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

func hello(req *request) ([]byte, bool) {
	if strings.TrimSpace(req.statement.sql) != helloQuery || req.revision == 0 || !strings.EqualFold(out(req), "Native") {
		return nil, false
	}
	b := []byte{1, 0, 2, 255, 255, 255, 255, 0, 4, 1}
	text := func(s string) { b = append(append(b, byte(len(s))), s...) }
	column := func(name, kind string) { text(name); text(kind); b = append(b, 0) }
	column("displayName()", "String")
	text(displayName)
	column("version()", "String")
	text("26.7.2.1")
	column("revision()", "UInt32")
	b = append(b, 0, 0, 0, 0)
	column("timezone()", "String")
	text("UTC")
	return b, true
}
