// Package progress shows how far long work has come: a bar on a terminal, a log line every few seconds elsewhere.
//
// [Bar] is the type to know; New decides which of the two it is. It writes to standard error or where it is told, never
// to the output that a command's result goes to, and it fails silently: work does not stop because nobody can watch it.
package progress

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Options says what a Bar shows.
type Options struct {
	Title string // such as "import irc"
	Total int64  // 0: unknown
	Bytes bool   // steps are bytes, shown as MB

	// Log takes the lines where there is no terminal. nil: slog.Default.
	Log *slog.Logger
	// Every is the time between two lines. 0: 5 seconds.
	Every time.Duration
	// Now is the clock. nil: time.Now.
	Now func() time.Time
}

// Bar is one piece of work under way. It is safe for many goroutines. Done ends it.
type Bar struct {
	opt Options
	bar *progressbar.ProgressBar // nil where there is no terminal

	mu    sync.Mutex
	n     int64
	note  string
	begun time.Time
	said  time.Time
}

// New begins to show work. out is where a bar would go; it is drawn if that is a terminal.
func New(out io.Writer, opt Options) *Bar {
	if opt.Every == 0 {
		opt.Every = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	b := &Bar{opt: opt, begun: opt.Now()}
	b.said = b.begun
	if isTerminal(out) {
		b.bar = draw(out, opt)
	}
	return b
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

func draw(out io.Writer, opt Options) *progressbar.ProgressBar {
	total := opt.Total
	if total == 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription(opt.Title),
		progressbar.OptionShowBytes(opt.Bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// Add says that n more steps are done.
func (b *Bar) Add(n int64) {
	if b.bar != nil {
		_ = b.bar.Add64(n)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += n
	if now := b.opt.Now(); now.Sub(b.said) >= b.opt.Every {
		b.said = now
		b.say(now)
	}
}

// Note says what is being worked on, such as a file's name.
func (b *Bar) Note(what string) {
	if b.bar != nil {
		b.bar.Describe(b.opt.Title + " " + what)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note = what
}

// Done removes the bar; the result is the caller's to say.
func (b *Bar) Done() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

func (b *Bar) say(now time.Time) {
	show := func(n int64) string {
		if b.opt.Bytes {
			return humanize.Bytes(uint64(max(n, 0)))
		}
		return humanize.Comma(n)
	}
	args := []any{"done", show(b.n)}
	if b.opt.Total > 0 {
		args = append(args, "of", show(b.opt.Total), "percent", fmt.Sprintf("%.0f", 100*float64(b.n)/float64(b.opt.Total)))
	}
	if s := now.Sub(b.begun).Seconds(); s > 0 {
		args = append(args, "per_second", show(int64(float64(b.n)/s)))
	}
	if b.note != "" {
		args = append(args, "at", b.note)
	}
	b.opt.Log.Info(b.opt.Title, args...)
}

// Steps shows work that reports how far it is in all rather than by steps: call what it returns with what is done and
// the total. The bar begins with the first call and is done when done reaches total.
func Steps(out io.Writer, opt Options) func(done, total int64) {
	var bar *Bar
	var last int64
	return func(done, total int64) {
		if bar == nil {
			opt.Total = total
			bar = New(out, opt)
		}
		bar.Add(done - last)
		if last = done; total > 0 && done >= total {
			bar.Done()
		}
	}
}
