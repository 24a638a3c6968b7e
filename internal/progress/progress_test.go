package progress_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/progress"
)

func TestWithoutATerminalALineComesEveryFewSeconds(t *testing.T) {
	var out, log bytes.Buffer
	now := time.Unix(0, 0)
	b := progress.New(&out, progress.Options{
		Title: "import", Total: 4_000_000, Bytes: true, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
	})
	b.Note("a.txt")
	for range 12 {
		now = now.Add(time.Second)
		b.Add(100_000)
	}
	b.Done()
	if out.Len() > 0 {
		t.Errorf("a bar was drawn: %q", out.String())
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines in 12 seconds: %s", len(lines), log.String())
	}
	for _, want := range []string{`done="1.0 MB"`, `of="4.0 MB"`, "percent=25", `per_second="100 kB"`, "at=a.txt", "msg=import"} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("%s is missing in %s", want, lines[1])
		}
	}
}
