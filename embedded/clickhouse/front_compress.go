package clickhouse

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codec is how ClickHouse's own frames are compressed.
type codec = compress.Method

const codecLZ4 = compress.LZ4

func parseCodec(name string) (codec, error) {
	switch strings.ToUpper(name) {
	case "LZ4":
		return compress.LZ4, nil
	case "LZ4HC":
		return compress.LZ4HC, nil
	case "ZSTD":
		return compress.ZSTD, nil
	case "NONE":
		return compress.None, nil
	}
	return 0, fmt.Errorf("unknown compression %q", name)
}

// maxFrame is how much goes into one of ClickHouse's compressed frames, in bytes.
const maxFrame = 1 << 20

// frames writes ClickHouse's compressed frames: checksum, method, sizes, data.
type frames struct {
	w     io.Writer
	codec *compress.Writer
}

func newFrames(w io.Writer, method codec) *frames {
	return &frames{w: w, codec: compress.NewWriter(0, method)}
}

// Write implements io.Writer: every call makes frames of its own.
func (f *frames) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxFrame)
		if err := f.codec.Compress(rest[:n]); err != nil {
			return 0, fmt.Errorf("compress the answer: %w", err)
		}
		if _, err := f.w.Write(f.codec.Data); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// requestBody is the request's body without the compression of HTTP and of ClickHouse.
func requestBody(r *http.Request, decompress bool) (io.Reader, error) {
	body, err := decoder(r.Header.Get("Content-Encoding"), r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	if decompress {
		body = wholeFrames{compress.NewReader(body)}
	}
	return body, nil
}

// wholeFrames ends where the last frame ended; the frames' reader calls that an error, and so it is within a frame.
type wholeFrames struct{ r io.Reader }

// Read implements io.Reader.
func (w wholeFrames) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if errors.Is(err, io.EOF) && strings.Contains(err.Error(), "header") { // not within a frame
		err = io.EOF
	}
	return n, err
}

// decoder undoes a Content-Encoding.
func decoder(encoding string, body io.Reader) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate":
		return zlib.NewReader(body)
	case "br":
		return brotli.NewReader(body), nil
	case "lz4":
		return lz4.NewReader(body), nil
	case "zstd":
		d, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, exception(codeNotImplemented, "Unknown Content-Encoding: "+encoding, "NOT_IMPLEMENTED")
}

// bodyError says that the request's body could not be read.
func bodyError(err error) error {
	var e *Exception
	if errors.As(err, &e) {
		return e
	}
	return exception(codeIncorrectData, "Cannot read the request's body: "+err.Error(), "INCORRECT_DATA")
}

// encodings are the Content-Encodings that an answer may have, the best first.
var encodings = []struct {
	name string
	make func(io.Writer) io.WriteCloser
}{
	{"zstd", func(w io.Writer) io.WriteCloser {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		return z
	}},
	{"lz4", func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }},
	{"gzip", func(w io.Writer) io.WriteCloser { z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed); return z }},
	{"br", func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, brotli.BestSpeed) }},
	{"deflate", func(w io.Writer) io.WriteCloser { z, _ := zlib.NewWriterLevel(w, zlib.BestSpeed); return z }},
}

// encoder picks the answer's Content-Encoding by Accept-Encoding; "" and nil for none.
func encoder(accept string) (string, func(io.Writer) io.WriteCloser) {
	offered := map[string]bool{}
	for _, one := range strings.Split(strings.ToLower(accept), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.ReplaceAll(quality, " ", "") != "q=0" {
			offered[strings.TrimSpace(name)] = true
		}
	}
	for _, e := range encodings {
		if offered[e.name] {
			return e.name, e.make
		}
	}
	return "", nil
}
