package lake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coldstream/coldstream/lake/objects"
)

// hint gives the version that metadata/version-hint.text names and the ETag of what it read; 0 where there is no hint.
// An error reading it is an error: going on without would be to guess.
func (t *Table) hint(ctx context.Context) (n int64, etag string, err error) {
	b, info, err := t.store.Get(ctx, t.hintKey())
	if errors.Is(err, objects.ErrNotFound) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", err
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil || n < 1 {
		return 0, "", fmt.Errorf("%w: version-hint.text says %q", ErrDamaged, b)
	}
	return n, info.ETag, nil
}

func (t *Table) hintKey() string { return t.Key("metadata/version-hint.text") }

// raiseHint moves the hint up to n. It never moves it down: a slow writer's hint must not hide a newer version.
func (t *Table) raiseHint(ctx context.Context, n int64) error {
	const tries = 5 // each lost race means that someone else raised it
	var last error
	for range tries {
		have, etag, err := t.hint(ctx)
		if err != nil {
			return fmt.Errorf("raise hint to v%d: %w", n, err)
		}
		if have >= n {
			return nil
		}
		body := []byte(strconv.FormatInt(n, 10))
		if etag == "" {
			_, last = t.store.PutIfAbsent(ctx, t.hintKey(), body)
		} else {
			_, last = t.store.PutIfMatch(ctx, t.hintKey(), etag, body)
		}
		if last == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("raise hint to v%d: %w", n, last)
}
