package readers_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
)

// TestReadersAgree pins the newest snapshot, again and again while the table is written and compacted, and has every engine read it:
// the rows, the sums of ids and the content must be what the files hold. It also looks at how each follows the head.
// COLDSTREAM_READERS is the number of rounds (default 1); with it, an engine that is not installed fails the test.
func TestReadersAgree(t *testing.T) {
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("COLDSTREAM_READERS"), "1"))
	require.NoError(t, err)
	w, writer := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	wrote, compacted := make(chan error, 1), make(chan error, 1)
	go func() { wrote <- w.write(ctx, writer) }()
	go func() { compacted <- w.compact(ctx, writer.Table) }()
	var report strings.Builder
	for i := range rounds {
		have, swaps := w.committed(), w.swapCount()
		w.allow(aRound)
		testkit.Eventually(t, time.Minute, func() error { // something new to read
			if n := w.committed(); n < have+8*perCommit || w.swapCount() == swaps {
				return fmt.Errorf("%d rows, and %d before; %d days compacted", n, have, w.swapCount())
			}
			return nil
		})
		w.round(t, i, &report)
	}
	stop()
	require.NoError(t, <-wrote)
	require.NoError(t, <-compacted)
	fmt.Print(report.String())
}

// round has every engine read the snapshot that is newest now.
func (w *world) round(t *testing.T, n int, report *strings.Builder) {
	t.Helper()
	v, err := w.table.Load(t.Context())
	require.NoError(t, err)
	snapshot := v.Metadata.CurrentSnapshot()
	want := w.want(t, v)
	w.complete(t, v, &want)
	answers, errs := make([]answer, len(engines)), make([]error, len(engines))
	began, swaps := w.committed(), w.swapCount()
	var g sync.WaitGroup
	for i, e := range engines {
		g.Go(func() {
			before := w.committed()
			answers[i], errs[i] = e.read(t.Context(), w, snapshot.SnapshotID)
			if got, after := answers[i].Head, w.committed(); errs[i] == nil && (got < before || got > after+perCommit) {
				errs[i] = fmt.Errorf("its newest snapshot has %d rows; %d were committed before it began, %d when it ended", got, before, after)
			}
		})
	}
	g.Wait()
	fmt.Fprintf(report, "round %d: snapshot %d, %d rows in %s; while it was read, %d rows more were committed and %d days compacted\n", n+1, snapshot.SnapshotID, want.Rows,
		snapshot.Summary.Properties["total-data-files"]+" files", w.committed()-began, w.swapCount()-swaps)
	out := tabwriter.NewWriter(report, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "reader\tversion\tway\trows\tsum of event ids\tdigest\tread in\tagrees")
	for i, e := range engines {
		a := answers[i]
		switch {
		case errors.Is(errs[i], errNotHere) && os.Getenv("COLDSTREAM_READERS") == "":
			fmt.Fprintf(out, "%s\t%s\n", e.name, errs[i])
			continue
		case errs[i] != nil:
			t.Errorf("%s: %v", e.name, errs[i])
		}
		agrees := a.same(&want)
		if !agrees && errs[i] == nil {
			t.Errorf("%s reads snapshot %d as\n%+v\nbut it is\n%+v", e.name, snapshot.SnapshotID, a, want)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\t%v\t%v\n", e.name, a.Version, e.way, a.Rows, a.EventIDs, a.Digest, time.Duration(a.Seconds*float64(time.Second)).Round(time.Millisecond), agrees)
	}
	out.Flush()
}

// same compares all but version and time.
func (a *answer) same(b *answer) bool {
	return a.Rows == b.Rows && a.EventIDs == b.EventIDs && a.Offsets == b.Offsets && a.Digest == b.Digest &&
		strings.Join(a.Columns, ",") == strings.Join(b.Columns, ",")
}

// complete checks the expectation itself: every offset below the version's position is there once.
func (w *world) complete(t *testing.T, v *lake.Version, a *answer) {
	t.Helper()
	next := v.Position.Sources[0].Next
	require.Equal(t, next, a.Rows)
	require.Equal(t, fmt.Sprint(next*(next-1)/2), a.Offsets)
}
