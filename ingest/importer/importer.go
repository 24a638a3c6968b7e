package importer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// maxRecord is the largest value, in bytes, that is published: a little below what the events topic takes in a batch.
// A larger one is skipped and counted as too_large.
const maxRecord = 8<<20 - 8<<10

// Publisher takes records on their way to the events topic: a producer, or a test's list. It may keep key and value.
type Publisher interface {
	PublishRaw(ctx context.Context, key, value []byte) error
}

// Options are what all importers share.
type Options struct {
	// Progress is told of bytes read; Note of the file under way. nil: nobody watches.
	Progress func(bytes int64)
	Note     func(what string)
	// Log says which files were passed over. nil: slog.Default.
	Log *slog.Logger
}

// Result counts what an import did. Lines are lines of text files, and messages of exports: Published and all of Skipped
// add up to Lines, except that an edited message of an export is published as two events.
type Result struct {
	Files     int              `json:"files"`
	Lines     int64            `json:"lines"`
	Published int64            `json:"published"`
	Skipped   map[string]int64 `json:"skipped"`
}

// ErrUsage marks what the user can mend: a file without a date, two files whose lines would get the same ids.
var ErrUsage = errors.New("cannot import")

// run is one import under way.
type run struct {
	Options
	pub Publisher
	res Result
}

func newRun(pub Publisher, o Options) *run {
	if o.Progress == nil {
		o.Progress = func(int64) {}
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &run{Options: o, pub: pub, res: Result{Skipped: map[string]int64{}}}
}

func (r *run) skip(kind string) { r.res.Skipped[kind]++ }

// event publishes an event keyed by its channel.
func (r *run) event(ctx context.Context, e *schemas.Event) error {
	value := codec.AppendEvent(make([]byte, 0, 256+len(e.Content)+len(e.Extra)), e)
	return r.raw(ctx, []byte(e.ChannelID), value)
}

func (r *run) raw(ctx context.Context, key, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(value)+len(key) > maxRecord {
		r.skip("too_large")
		return nil
	}
	if err := r.pub.PublishRaw(ctx, key, value); err != nil {
		return err
	}
	r.res.Published++
	return nil
}

// Size is the total size of files in bytes, as far as it can be known: what Progress will add up to.
func Size(paths []string) int64 {
	files, err := files(paths)
	if err != nil {
		return 0 // the import itself will say what is wrong
	}
	var n int64
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

// files lists the regular files that paths name, folders with everything below them, by absolute path, each once. A
// folder's files come in the order of their names; hidden ones are passed over.
func files(paths []string) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	add := func(path string) error {
		path, err := canonical(path)
		if err == nil && !seen[path] {
			seen[path] = true
			all = append(all, path)
		}
		return err
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if !info.IsDir() {
			if err := add(path); err != nil {
				return nil, err
			}
			continue
		}
		if err := walk(path, add); err != nil {
			return nil, fmt.Errorf("list %s: %w", path, err)
		}
	}
	return all, nil
}

func walk(dir string, add func(string) error) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return err
		}
		return add(path)
	})
}

// canonical is a path that does not depend on how its file was named: absolute, its folder without symbolic links.
func canonical(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// lines reads lines that end at \n only.
type lines struct {
	r   *bufio.Reader
	buf []byte
	n   int64 // lines read
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 256<<10)} }

// next returns the next line without its end, valid until the next call; size is what it took in the file. Of a line
// above maxRecord only the beginning is kept. io.EOF comes alone.
func (l *lines) next() (line []byte, size int64, err error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		size += int64(len(part))
		if len(l.buf) <= maxRecord {
			l.buf = append(l.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil:
			l.n++
			if size <= int64(len(l.buf)) {
				return l.buf[:len(l.buf)-1], size, nil
			}
			return l.buf, size, nil
		case errors.Is(err, io.EOF) && size > 0:
			l.n++
			return l.buf, size, nil
		default:
			return nil, 0, err
		}
	}
}

// utf8Text is a line as UTF-8. Logs of old mix encodings: a line that is not UTF-8 is read as Windows-1252, whose five
// unused bytes are read as Latin-1, so that nothing is lost.
func utf8Text(line []byte) []byte {
	if utf8.Valid(line) {
		return line
	}
	out := make([]byte, 0, len(line)+16)
	for _, b := range line {
		r := charmap.Windows1252.DecodeByte(b)
		if r == utf8.RuneError {
			r = rune(b)
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
