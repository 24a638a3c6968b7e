package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/progress"
	"github.com/coldstream/coldstream/jobs/compact"
)

const compactLong = `Merges the archive's files of each closed day (UTC), so that every five-minute window is one chunk and the day is
one or few files. Repeats of an event within the day are removed, the lowest source, partition and offset
stays; what was removed is listed in an object below the table. "up" and "run" do it by themselves.

The new files are read back and compared, by count and by a hash of every row, before they take the place
of the old ones by one commit. Until then nothing has changed: Ctrl-C or a crash leaves files that no version
of the table names, which "coldstream sweep" removes. It is safe beside live workers and committers, and beside
another compaction. The old files stay on the store until sweep takes them.

Exit status: 0 done, also when there was nothing to do; 2 wrong flags; 3 a day could not be compacted.`

// compactReport is what `compact --json` prints.
type compactReport struct {
	DryRun  bool             `json:"dry_run"`
	Days    []compact.Result `json:"days"`
	Waiting int              `json:"waiting"` // days that are left, after Ctrl-C or an error
	Failed  []string         `json:"failed"`
}

func newCompactCommand(g *globals) *cobra.Command {
	var from, to string
	var dryRun bool
	c := &cobra.Command{
		Use: "compact", Short: "Merge the archive's files of closed days", Args: cobra.NoArgs, Long: compactLong,
		Example: "  coldstream compact --dry-run\n  coldstream compact\n  coldstream compact --from 2024-01-01 --to 2024-02-01",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := daysOf(from, to)
			if err != nil {
				return err
			}
			cfg, table, err := g.lakeTable(false)
			if err != nil {
				return err
			}
			var bar *progress.Bar // made once it is known how much there is to do
			job, err := compact.New(withProgress(compactConfig(cfg, table), func(rows int64) { bar.Add(rows) }))
			if err != nil {
				return failed(err)
			}
			plans, err := job.All(cmd.Context(), r)
			if err != nil {
				return failed(err)
			}
			report := compactReport{DryRun: dryRun, Days: []compact.Result{}, Failed: []string{}}
			if dryRun {
				report.plan(plans)
				return report.show(cmd.OutOrStdout(), g.json)
			}
			bar = progress.New(cmd.ErrOrStderr(), progress.Options{Title: "compact", Total: rowsOf(plans)})
			err = report.run(cmd.Context(), job, plans, bar)
			bar.Done()
			return errors.Join(report.show(cmd.OutOrStdout(), g.json), err)
		},
	}
	c.Flags().StringVar(&from, "from", "", "first `DAY`, as 2024-01-01 (default the first there is)")
	c.Flags().StringVar(&to, "to", "", "the `DAY` after the last (default all closed days)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	return c
}

func withProgress(c compact.Config, tell func(rows int64)) compact.Config {
	c.Progress = tell
	return c
}

// daysOf reads --from and --to.
func daysOf(from, to string) (r compact.Range, err error) {
	for _, x := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", from, &r.From}, {"--to", to, &r.To}} {
		if x.text == "" {
			continue
		}
		if *x.into, err = time.Parse(time.DateOnly, x.text); err != nil {
			return r, usagef("%s %q: a day such as 2024-01-31", x.flag, x.text)
		}
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return r, usagef("--to %s is not after --from %s: --to is the day after the last", to, from)
	}
	return r, nil
}

func rowsOf(plans []compact.Plan) (n int64) {
	for i := range plans {
		n += plans[i].Rows()
	}
	return n
}

// plan tells what would be done.
func (r *compactReport) plan(plans []compact.Plan) {
	for i := range plans {
		p := &plans[i]
		r.Days = append(r.Days, compact.Result{Day: p.Day.String(), FilesIn: len(p.Files), BytesIn: p.Bytes(), Rows: p.Rows()})
	}
	r.Waiting = len(plans)
}

// run compacts day after day. One that cannot be is told at the end, and does not hold up the others.
func (r *compactReport) run(ctx context.Context, job *compact.Compactor, plans []compact.Plan, bar *progress.Bar) error {
	for i := range plans {
		bar.Note(plans[i].Day.String())
		done, err := job.Day(ctx, &plans[i])
		if ctx.Err() != nil {
			r.Waiting = len(plans) - i
			return ctx.Err()
		}
		if err != nil {
			r.Failed = append(r.Failed, err.Error())
			continue
		}
		r.Days = append(r.Days, done)
	}
	if len(r.Failed) > 0 {
		return failed(fmt.Errorf("%d of %d days could not be compacted and are as they were", len(r.Failed), len(plans)))
	}
	return nil
}

func (r *compactReport) show(w io.Writer, json bool) error {
	if json {
		return printJSON(w, r)
	}
	var sum compact.Result
	for i := range r.Days {
		d := &r.Days[i]
		switch {
		case r.DryRun:
			fmt.Fprintf(w, "%s: %d files, %s, %d rows\n", d.Day, d.FilesIn, humanize.Bytes(uint64(d.BytesIn)), d.Rows)
		case d.Abandoned:
			fmt.Fprintf(w, "%s: left as it is, somebody else changed it meanwhile\n", d.Day)
		default:
			fmt.Fprintf(w, "%s: %d files became %d, %d chunks %d, %s %s; %d rows, %d repeats removed\n", d.Day, d.FilesIn, d.FilesOut,
				d.ChunksIn, d.ChunksOut, humanize.Bytes(uint64(d.BytesIn)), humanize.Bytes(uint64(d.BytesOut)), d.Rows, d.Repeats)
		}
		sum.FilesIn, sum.FilesOut, sum.Repeats = sum.FilesIn+d.FilesIn, sum.FilesOut+d.FilesOut, sum.Repeats+d.Repeats
	}
	for _, f := range r.Failed {
		fmt.Fprintln(w, f)
	}
	return r.total(w, &sum)
}

func (r *compactReport) total(w io.Writer, sum *compact.Result) (err error) {
	switch {
	case len(r.Days)+r.Waiting+len(r.Failed) == 0:
		_, err = fmt.Fprintln(w, "nothing to do: in every closed day each window is one chunk")
	case r.DryRun:
		_, err = fmt.Fprintf(w, "%d days would be compacted; nothing was changed\n", r.Waiting)
	case r.Waiting > 0:
		_, err = fmt.Fprintf(w, "stopped: %d days are compacted, %d are as they were; run it again to go on\n", len(r.Days), r.Waiting)
	default:
		_, err = fmt.Fprintf(w, "%d days: %d files became %d, %d repeats removed\n", len(r.Days), sum.FilesIn, sum.FilesOut, sum.Repeats)
	}
	return err
}
