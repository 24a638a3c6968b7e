package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/progress"
	"github.com/coldstream/coldstream/jobs/sweep"
	"github.com/coldstream/coldstream/lake"
)

const sweepLong = `Deletes the objects of the archive's table that nothing can need any more: files that were uploaded and never
announced, files that a compaction replaced or gave up, manifests of lost commits and of expired versions.

An object goes only if it is older than lake.sweep_margin by the store's clock, if no version that has not
expired needs it, and if no record of topic "chunks" that waits for the committer names it. Age alone never
decides. It refuses while the committer is further behind than a quarter of the margin. It begins with a
commit that changes nothing, so that a writer that slept cannot commit what it prepared before.
"up" and "run" do it by themselves. Ctrl-C stops between two objects; run it again to go on.

Exit status: 0 done, also when there was nothing to do; 2 wrong flags; 3 refused or could not.`

func newSweepCommand(g *globals) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "sweep", Short: "Delete files that no version of the archive's table can need", Args: cobra.NoArgs, Long: sweepLong,
		Example: "  coldstream sweep --dry-run\n  coldstream sweep\n  coldstream sweep --dry-run --json   # every object by name",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, table, err := g.lakeTable(true)
			if err != nil {
				return err
			}
			show := stages(cmd.ErrOrStderr(), "sweep")
			r, err := sweep.Run(cmd.Context(), sweep.Config{
				Table: table, Client: clientOf(cfg), Chunks: cfg.Kafka.Topics.Chunks, Margin: cfg.Lake.SweepMargin, DryRun: dryRun, Progress: show.at,
			})
			show.done()
			if cmd.Context().Err() != nil {
				err = cmd.Context().Err()
			} else {
				err = failed(err)
			}
			if err != nil && len(r.Deleted) == 0 {
				return err
			}
			if g.json {
				return errors.Join(printJSON(cmd.OutOrStdout(), r), err)
			}
			return errors.Join(showSweep(cmd.OutOrStdout(), &r, cfg.Lake.SweepMargin), err)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be deleted")
	return c
}

func showSweep(w io.Writer, r *sweep.Result, margin time.Duration) error {
	kinds := map[string]int{}
	for _, o := range r.Deleted {
		folder, _, _ := strings.Cut(o.Path, "/")
		kinds[folder]++
	}
	word := "deleted"
	if r.DryRun {
		word = "would delete"
	}
	fmt.Fprintf(w, "%s %d objects, %s: %d of data, %d of metadata, %d of checkpoints\n", word, len(r.Deleted), humanize.Bytes(uint64(r.Bytes)),
		kinds["data"], kinds["metadata"], kinds["checkpoints"])
	_, err := fmt.Fprintf(w, "left %d that %d versions or topic chunks need, %d that nothing needs and are younger than %v, %d that are not ours\n",
		r.Referenced, r.Versions, r.Young, margin, len(r.Unknown))
	return err
}

// stage shows work that goes through stages, each with its own bar.
type stage struct {
	out  io.Writer
	name string
	now  string
	bar  *progress.Bar
	last int64
}

func stages(out io.Writer, name string) *stage { return &stage{out: out, name: name} }

func (s *stage) at(what string, done, total int64) {
	if what != s.now {
		s.done()
		s.now, s.last, s.bar = what, 0, progress.New(s.out, progress.Options{Title: s.name + ": " + what, Total: total})
	}
	s.bar.Add(done - s.last)
	s.last = done
}

func (s *stage) done() {
	if s.bar != nil {
		s.bar.Done()
	}
}

const expireLong = `Lets go of versions and snapshots of the archive's table that were replaced longer ago than --older-than. The
newest version forgets the snapshots; each old version's object becomes a tombstone of 29 bytes, because its
number must never be free again. A reader that still holds such a version then fails; time travel reaches back
that far at most. Files are left to "coldstream sweep", which may take them afterwards.

It also trims topic "chunks", from which nothing else deletes: records that are older than that, that every
version left has behind it, and that lie at least 100 offsets behind the position.
"up" and "run" do it by themselves.

Exit status: 0 done, also when there was nothing to do; 2 wrong flags; 3 could not.`

// expireReport is what `lake expire --json` prints.
type expireReport struct {
	lake.Expiry
	Chunks lake.Trim `json:"chunks"`
}

func newExpireCommand(g *globals) *cobra.Command {
	var dryRun bool
	var older time.Duration
	c := &cobra.Command{
		Use: "expire", Short: "Let go of old versions and snapshots, and of old records of topic chunks", Args: cobra.NoArgs, Long: expireLong,
		Example: "  coldstream lake expire --dry-run\n  coldstream lake expire\n  coldstream lake expire --older-than 1h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if older < 0 {
				return usagef("--older-than %v: 0 or more", older)
			}
			cfg, table, err := g.lakeTable(true)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("older-than") {
				older = cfg.Lake.Keep
			}
			before := time.Now().Add(-older)
			show := stages(cmd.ErrOrStderr(), "expire")
			r := expireReport{}
			r.Expiry, err = table.Expire(cmd.Context(), before, dryRun, func(done, total int64) { show.at("versions", done, total) })
			show.done()
			if err == nil {
				r.Chunks, err = table.TrimChunks(cmd.Context(), clientOf(cfg), cfg.Kafka.Topics.Chunks, before, dryRun)
			}
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			if err != nil {
				return failed(err)
			}
			if g.json {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return r.show(cmd.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	c.Flags().DurationVar(&older, "older-than", 0, "how long ago they were replaced (default lake.keep)")
	return c
}

func (r *expireReport) show(w io.Writer) error {
	word := ""
	if r.DryRun {
		word = "would be "
	}
	fmt.Fprintf(w, "%d snapshots %sforgotten, %d versions %sburied, %s freed; versions %d to %d can be read (%d)\n",
		r.Snapshots, word, r.Versions, word, humanize.Bytes(uint64(r.Bytes)), r.Oldest, r.Newest, r.Kept)
	_, err := fmt.Fprintf(w, "%d records of topic %s %sdeleted; it begins at offset %d\n", r.Chunks.To-r.Chunks.From, r.Chunks.Topic, word, r.Chunks.To)
	return err
}
