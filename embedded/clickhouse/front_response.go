package clickhouse

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// holdBack is how much of an answer is kept until its end is known, in bytes: a statement that fails by then gets a
// proper status, a small answer its true summary and length.
const holdBack = 1 << 20

// response writes one answer. It holds back the first piece; after that an error can only be a block at the end.
type response struct {
	w       http.ResponseWriter
	r       *http.Request
	version string
	req     *request // nil until begin
	tag     string   // of an error at the end
	held    bytes.Buffer
	total   counters
	sent    bool      // the headers are gone
	body    io.Writer // where data goes once they are
	closers []io.Closer
}

func newResponse(w http.ResponseWriter, r *http.Request, version string) *response {
	return &response{w: w, r: r, version: version, tag: strings.ReplaceAll(newID(), "-", "")[:16]}
}

func (o *response) begin(req *request) { o.req = req }

// write adds a piece of the answer.
func (o *response) write(data []byte, c counters) error {
	o.total.add(c)
	if o.req.revision > 0 && len(data) > 0 && strings.EqualFold(outputFormat(o.req), "Native") {
		var err error
		if data, err = reviseNative(nil, data, o.req.revision); err != nil {
			return err
		}
	}
	if o.sent {
		return o.push(data)
	}
	o.held.Write(data)
	if o.held.Len() < holdBack || o.req.wait {
		return nil
	}
	return o.send()
}

func (o *response) push(data []byte) error {
	if _, err := o.body.Write(data); err != nil {
		return exception(codeCancelled, "The client went away", "QUERY_WAS_CANCELLED")
	}
	return nil
}

// send writes the headers and what was held back.
func (o *response) send() error {
	o.headers()
	h := o.w.Header()
	name := outputFormat(o.req)
	h.Set("Content-Type", formatOf(name).contentType)
	h.Set("X-ClickHouse-Format", name)
	h.Set("X-ClickHouse-Summary", summary(o.total, o.req.started))
	o.body = o.w
	if o.req.http {
		if encoding, wrap := encoder(o.r.Header.Get("Accept-Encoding")); wrap != nil {
			h.Set("Content-Encoding", encoding)
			z := wrap(o.body)
			o.body, o.closers = z, append(o.closers, z)
		}
	}
	if o.req.compress {
		o.body = newFrames(o.body, o.req.codec)
	}
	o.sent = true
	o.w.WriteHeader(http.StatusOK)
	err := o.push(o.held.Bytes())
	o.held = bytes.Buffer{}
	return err
}

// headers are those of every answer, good or bad.
func (o *response) headers() {
	h := o.w.Header()
	h.Set("X-ClickHouse-Server-Display-Name", displayName)
	h.Set("X-ClickHouse-Timezone", "UTC")
	h.Set("X-ClickHouse-Exception-Tag", o.tag)
	if o.req != nil {
		h.Set("X-ClickHouse-Query-Id", o.req.id)
	}
}

// finish ends a good answer.
func (o *response) finish() {
	if !o.sent {
		if !o.req.compress && !o.req.http {
			o.w.Header().Set("Content-Length", strconv.Itoa(o.held.Len()))
		}
		if err := o.send(); err != nil {
			return
		}
	}
	for i := len(o.closers) - 1; i >= 0; i-- {
		_ = o.closers[i].Close()
	}
}

// fail ends the answer with an error: by status and text, or late, by the block that ClickHouse puts at the end of a
// body that has begun, and a connection that breaks off so that no client takes the body for whole.
func (o *response) fail(err error) {
	e := asException(err)
	text := e.Text
	if o.req != nil {
		text = strings.NewReplacer("\n"+o.req.marker(), "", " "+o.req.marker(), "").Replace(text)
	}
	if !strings.Contains(text, "(version ") && o.version != "" {
		text += " (version " + o.version + ")"
	}
	text += "\n"
	if o.sent {
		o.failLate(text)
		return
	}
	o.headers()
	h := o.w.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	if o.req != nil {
		h.Set("X-ClickHouse-Summary", summary(o.total, o.req.started))
	}
	if e.status() == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="ClickHouse"`)
	}
	o.drain()
	o.w.WriteHeader(e.status())
	_, _ = io.WriteString(o.w, text)
}

func (o *response) failLate(text string) {
	const marker = "__exception__"
	block := "\r\n" + marker + "\r\n" + o.tag + "\r\n" + text + strconv.Itoa(len(text)) + " " + o.tag + "\r\n" + marker + "\r\n"
	_ = o.push([]byte(block))
	for i := len(o.closers) - 1; i >= 0; i-- {
		_ = o.closers[i].Close()
	}
	_ = http.NewResponseController(o.w).Flush()
	panic(http.ErrAbortHandler)
}

// drain reads what is left of a small body, so that a client that is still sending sees the answer.
func (o *response) drain() {
	_ = http.NewResponseController(o.w).SetReadDeadline(time.Now().Add(2 * time.Second))
	_, _ = io.CopyN(io.Discard, o.r.Body, 16<<20)
	_ = http.NewResponseController(o.w).SetReadDeadline(time.Time{})
}
