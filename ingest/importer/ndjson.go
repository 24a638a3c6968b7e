package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/buger/jsonparser"
)

// NDJSON publishes each line of files (or of stdin, for the path -) as it is, to the byte, without the \n that ends it.
// An empty line is an empty value. Records are keyed by channel_id, else target_message_id, else event_id, where the
// line is JSON that far; otherwise they have no key. Nothing is judged here: the pipeline does that.
func NDJSON(ctx context.Context, pub Publisher, paths []string, stdin io.Reader, o Options) (Result, error) {
	r := newRun(pub, o)
	for _, path := range paths {
		if path == "-" {
			if err := r.ndjson(ctx, "standard input", stdin); err != nil {
				return r.res, err
			}
			continue
		}
		all, err := files([]string{path})
		if err != nil {
			return r.res, err
		}
		for _, file := range all {
			if err := r.ndjsonFile(ctx, file); err != nil {
				return r.res, err
			}
		}
	}
	return r.res, nil
}

func (r *run) ndjsonFile(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	r.Note(filepath.Base(path))
	return r.ndjson(ctx, path, f)
}

func (r *run) ndjson(ctx context.Context, name string, in io.Reader) error {
	for l := newLines(in); ; {
		line, size, err := l.next()
		if errors.Is(err, io.EOF) {
			r.res.Files++
			return nil
		}
		if err == nil {
			// The key lies within the value; the publisher keeps both.
			value := append(make([]byte, 0, len(line)), line...)
			err = r.raw(ctx, ndjsonKey(value), value)
		}
		if err != nil {
			return fmt.Errorf("import stopped at %s:%d: %w", name, max(l.n, 1), err)
		}
		r.res.Lines++
		r.Progress(size)
	}
}

var keyPaths = [][]string{{"channel_id"}, {"target_message_id"}, {"event_id"}}

// ndjsonKey is the key that a record of this line should have, or nil.
func ndjsonKey(line []byte) []byte {
	var found [3][]byte
	jsonparser.EachKey(line, func(i int, value []byte, kind jsonparser.ValueType, err error) {
		switch {
		case err != nil || found[i] != nil:
		case kind == jsonparser.String:
			if slices.Contains(value, '\\') {
				if value, err = jsonparser.Unescape(value, nil); err != nil {
					return
				}
			}
			found[i] = value
		case kind == jsonparser.Number:
			found[i] = value
		}
	}, keyPaths...)
	for _, key := range found {
		if len(key) > 0 {
			return key
		}
	}
	return nil
}
