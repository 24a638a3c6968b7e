package redact

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// StreamOptions say how Run writes.
type StreamOptions struct {
	// Spans adds to each document what was found, as byte offsets into the
	// UTF-8 text of the input.
	Spans bool
	// Explain adds the spans with the action that each met and the rule that
	// found it.
	Explain bool
}

// Run reads one text a line and writes one JSON document a line, in the same
// order: {"id","content"} with the redacted text and, if asked for, {"spans"}.
// A line is NDJSON of {"id","content"}, whose id (a string or a number) is
// echoed, or else plain text, whose id is the line's number from 1 as a string.
// Instead of the content of a text that the policy drops there is
// "dropped":true. Run holds one line at a time, of any length. It returns what
// it has seen, with the first error of reading or writing, or the context's.
func (e *Engine) Run(ctx context.Context, in io.Reader, out io.Writer, opts StreamOptions) (Stats, error) {
	s := streamer{engine: e, opts: opts, stats: e.newStats()}
	start := time.Now()
	err := s.run(ctx, in, out)
	s.stats.Took = time.Since(start)
	return s.stats, err
}

func (s *streamer) run(ctx context.Context, in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 1<<16)
	w := bufio.NewWriterSize(out, 1<<16)
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, w.Flush())
		}
		line, err := s.readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("redact: read line %d: %w", number, err)
		}
		if len(line) > 0 || err == nil {
			if _, werr := w.Write(s.document(line, number)); werr != nil {
				return fmt.Errorf("redact: write line %d: %w", number, werr)
			}
		}
		// A person at a terminal sees each answer at once.
		if err != nil || r.Buffered() == 0 {
			if werr := w.Flush(); werr != nil {
				return fmt.Errorf("redact: write line %d: %w", number, werr)
			}
		}
		if err != nil {
			return nil
		}
	}
}

// streamer keeps the buffers of a Run.
type streamer struct {
	engine   *Engine
	opts     StreamOptions
	stats    Stats
	line     []byte
	spans    []Span
	redacted []byte
	out      []byte
}

// readLine reads up to a line feed, which it leaves out, with a carriage return
// before it. The line is valid until the next call.
func (s *streamer) readLine(r *bufio.Reader) ([]byte, error) {
	s.line = s.line[:0]
	for {
		part, err := r.ReadSlice('\n')
		s.line = append(s.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(s.line, []byte("\n")), []byte("\r")), err
	}
}

// input is a line of NDJSON. The pointer tells an empty content from none.
type input struct {
	ID      json.RawMessage `json:"id"`
	Content *string         `json:"content"`
}

// document is the answer to one line, with its line feed. A line that only
// looks like a document is text.
func (s *streamer) document(line []byte, number int) []byte {
	id := strconv.AppendQuote(nil, strconv.Itoa(number))
	text := line
	if trimmed := bytes.TrimLeft(line, " \t"); len(trimmed) > 0 && trimmed[0] == '{' {
		var doc input
		if json.Unmarshal(line, &doc) == nil && doc.Content != nil {
			text = []byte(*doc.Content)
			if isID(doc.ID) {
				id = doc.ID
			}
		}
	}
	s.spans = s.engine.Find(s.spans[:0], text)
	s.stats.count(s.engine, text, s.spans)
	s.out = append(append(s.out[:0], `{"id":`...), id...)
	if s.engine.Drops(s.spans) {
		s.out = append(s.out, `,"dropped":true`...)
	} else {
		s.redacted = s.engine.Redact(s.redacted[:0], text, s.spans)
		s.out = appendJSONString(append(s.out, `,"content":`...), s.redacted)
	}
	if s.opts.Spans || s.opts.Explain {
		s.appendSpans(text)
	}
	return append(s.out, "}\n"...)
}

func (s *streamer) appendSpans(text []byte) {
	s.out = append(s.out, `,"spans":[`...)
	for i, sp := range s.spans {
		if i > 0 {
			s.out = append(s.out, ',')
		}
		s.out = strconv.AppendInt(append(s.out, `{"start":`...), int64(sp.Start), 10)
		s.out = strconv.AppendInt(append(s.out, `,"end":`...), int64(sp.End), 10)
		s.out = append(append(append(s.out, `,"type":"`...), s.engine.TypeName(sp.Type)...), '"')
		if s.opts.Explain {
			s.out = append(append(append(s.out, `,"action":"`...), s.engine.Action(sp.Type).String()...), `","rule":`...)
			s.out = appendJSONString(s.out, []byte(s.engine.Rule(text, sp)))
		}
		s.out = append(s.out, '}')
	}
	s.out = append(s.out, ']')
}

// isID says whether raw JSON is a string or a number.
func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || raw[0] == '-' || isDigit(raw[0]))
}

// appendJSONString writes text as JSON, without the escapes meant for HTML.
// JSON is UTF-8: bytes that are not become U+FFFD.
func appendJSONString(dst, text []byte) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(string(text)); err != nil {
		return append(dst, `""`...) // a string always encodes
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
