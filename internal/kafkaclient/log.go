package kafkaclient

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// traceLevel is where the client's own debugging goes, a line for every request: --log-level debug-4.
	traceLevel = slog.LevelDebug - 4
	// sayAgain is how often the same complaint of one client is logged: a broker that is away is tried again all the time.
	sayAgain = time.Minute
)

// logger hands a client's log to slog's default: warnings and errors at warn, information at DEBUG. franz-go says at
// ERROR what it goes on after, such as a rebalance that failed, so that nothing of it is one here: what a part cannot
// recover from comes back as an error of its own.
type logger struct {
	part string
	warn slog.Level
	now  func() time.Time

	mu   sync.Mutex
	said map[string]*complaint // by message
}

type complaint struct {
	at      time.Time
	unheard int // since then
}

func newLogger(part string, warn slog.Level) *logger {
	return &logger{part: part, warn: warn, now: time.Now, said: map[string]*complaint{}}
}

// Level implements kgo.Logger; what nobody would see is not even put together.
func (l *logger) Level() kgo.LogLevel {
	on := func(level slog.Level) bool { return slog.Default().Enabled(context.Background(), level) }
	switch {
	case on(traceLevel):
		return kgo.LogLevelDebug
	case on(slog.LevelDebug):
		return kgo.LogLevelInfo
	case on(l.warn):
		return kgo.LogLevelWarn
	default:
		return kgo.LogLevelNone
	}
}

// Log implements kgo.Logger.
func (l *logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	at := l.warn
	switch level {
	case kgo.LogLevelInfo:
		at = slog.LevelDebug
	case kgo.LogLevelDebug:
		at = traceLevel
	case kgo.LogLevelError, kgo.LogLevelWarn:
		unheard, now := l.due(msg)
		if !now {
			return
		}
		if unheard > 0 {
			keyvals = append(keyvals, "repeated", unheard)
		}
	}
	slog.Default().With("part", l.part).Log(context.Background(), at, "kafka: "+msg, keyvals...)
}

// due tells whether a complaint is to be logged now, and how often it was not since it last was.
func (l *logger) due(msg string) (unheard int, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, before := l.said[msg]
	if before && l.now().Sub(c.at) < sayAgain {
		c.unheard++
		return 0, false
	}
	if before {
		unheard = c.unheard
	}
	l.said[msg] = &complaint{at: l.now()}
	return unheard, true
}
