package clickhouse

import (
	"errors"
	"io"
)

// insertChunk is how much of an INSERT's rows is handed over at once, in bytes.
const insertChunk = 256 << 10

// runInsert runs an INSERT whose rows are in the request.
func runInsert(c *conn, req *request, out *response) error {
	format := req.statement.format
	if format == "" {
		if format = req.format; format == "TabSeparated" {
			format = "Values"
		}
	}
	ins, err := c.streamInsert(req.statement.sql+" "+req.marker(), format, req.params)
	if err != nil {
		return err
	}
	defer ins.close()
	_, err = io.CopyBuffer(struct{ io.Writer }{ins}, struct{ io.Reader }{req.rows}, make([]byte, insertChunk))
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return bodyError(err) // the client broke off: nothing more is committed
	}
	written, err := ins.finish()
	if err != nil {
		return err
	}
	return out.write(nil, written)
}
