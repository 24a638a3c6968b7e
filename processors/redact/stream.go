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
	"unicode/utf8"

	"github.com/buger/jsonparser"
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
	id       []byte // room for an id
	text     []byte // room for content whose escapes are undone
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

// input is a line of NDJSON: the id as it was written, and the content.
type input struct{ id, content []byte }

// parse reads a line as a document, valid until the next call; false for what
// only looks like one, or has no content that is a string.
func (s *streamer) parse(line []byte) (doc input, ok bool) {
	if !json.Valid(line) {
		return doc, false
	}
	err := jsonparser.ObjectEach(line, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		switch {
		case string(key) == "content" && kind == jsonparser.String:
			text, err := jsonparser.Unescape(value, s.text[:cap(s.text)])
			if err != nil {
				var whole string
				err = json.Unmarshal(quoted(nil, value), &whole)
				text = []byte(whole)
			}
			doc.content, ok = text, err == nil
			return err
		case string(key) == "id" && kind == jsonparser.String:
			s.id = quoted(s.id[:0], value)
			doc.id = s.id
		case string(key) == "id":
			doc.id = value
		}
		return nil
	})
	return doc, ok && err == nil
}

// quoted is the inside of a JSON string as it was, with its quotes.
func quoted(dst, inside []byte) []byte {
	return append(append(append(dst, '"'), inside...), '"')
}

// document is the answer to one line, with its line feed. A line that only
// looks like a document is text.
func (s *streamer) document(line []byte, number int) []byte {
	id := strconv.AppendQuote(nil, strconv.Itoa(number))
	text := line
	if trimmed := bytes.TrimLeft(line, " \t"); len(trimmed) > 0 && trimmed[0] == '{' {
		if doc, ok := s.parse(line); ok {
			text = doc.content
			if isID(doc.id) {
				id = doc.id
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

// appendJSONString writes text as JSON (RFC 8259, 7), without the escapes meant
// for HTML. JSON is UTF-8: bytes that are not become U+FFFD.
func appendJSONString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if b >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, text[from:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if b < ' ' {
				dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
			} else {
				dst = append(dst, "\ufffd"...)
			}
		}
		i += size
		from = i
	}
	return append(append(dst, text[from:]...), '"')
}
