package clickhouse_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/sinks/clickhouse"
)

// wantStop ticks until the sink stops with these words.
func (h *hot) wantStop(words ...string) {
	h.t.Helper()
	testkit.Eventually(h.t, 30*time.Second, func() error {
		err := h.sink.Tick(h.t.Context(), time.Now().Add(time.Hour))
		if !errors.Is(err, clickhouse.ErrStop) {
			return fmt.Errorf("%v", err)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				return fmt.Errorf("%w: it does not say %s", err, w)
			}
		}
		return nil
	})
	if h.committed != 0 {
		h.t.Fatalf("offset %d was committed", h.committed)
	}
}

// No row is thrown out for a reason that nobody understands.
func TestAnErrorThatNobodyKnowsStopsTheSinkAfterAFewTries(t *testing.T) {
	unknown := answer(500, "9876", "Code: 9876. DB::Exception: Something new.")
	f := &fault{queue: make([]func(*http.Request, http.RoundTripper) (*http.Response, error), 50)}
	for i := range f.queue {
		f.queue[i] = unknown
	}
	h := newHot(t, f, nil)
	h.write(docs(3)...)
	h.wantStop("Something new")
	if s := h.sink.Stats(); s.Retries != 5 || s.Refused != 0 || len(h.letters) != 0 {
		t.Fatalf("%+v", s)
	}
}

// Where most rows are refused it is not the rows that are wrong: they do not become dead letters.
func TestManyRefusedRowsStopTheSink(t *testing.T) {
	h := newHot(t, nil, nil)
	h.exec("ALTER TABLE state ADD CONSTRAINT none CHECK tupleElement(content, 'text') = ''")
	h.write(docs(130)...)
	h.wantStop("more than 100 rows of one block are refused", "none")
	if len(h.letters) != 0 || len(h.rows("messages")) != 0 {
		t.Fatalf("%d dead letters", len(h.letters))
	}
}
