package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/progress"
	"github.com/coldstream/coldstream/jobs/rebuild"
	"github.com/coldstream/coldstream/jobs/verify"
)

const rebuildLong = `Makes the archive's table again from its data files, when its metadata is lost or damaged, and ends with what
"coldstream verify" says of it.

Every data file is read. A record of the topic is taken once, whichever files have it: files of checkpoints that
were never announced, files that were compacted and those that they became may all be there. Repeats that a
compaction removed stay removed. Positions are the highest of what the rows reach, the archive's group has
committed and topic "chunks" says. The new version takes the number after every one that there ever was.
Nothing is deleted, and it may be interrupted and run again.

Not rebuilt: old versions and snapshots, recorded losses ("lake show"), and the names of topics that were replaced.

The brokers must run and the archive's workers and committer must not: on one box, "coldstream up --pipelines
hot,resolver" runs everything but them. A table that can be read is left alone unless --replace is given.

Exit status: 0 rebuilt and verified; 1 verify found something; 2 wrong flags or neither --yes nor --dry-run;
3 refused or could not.`

func newRebuildCommand(g *globals) *cobra.Command {
	var yes, dryRun, replace, noVerify bool
	c := &cobra.Command{
		Use: "rebuild", Short: "Make the table again from its data files", Args: cobra.NoArgs, Long: rebuildLong,
		Example: "  coldstream lake rebuild --dry-run\n  coldstream lake rebuild --yes\n  coldstream lake rebuild --yes --replace   # although the table can be read",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if yes == dryRun {
				return usagef("this makes the table anew: look with --dry-run first, then say --yes")
			}
			cfg, table, err := g.lakeTable(true)
			if err != nil {
				return err
			}
			if !dryRun && !noVerify {
				if err := cfg.Need(true, true, true); err != nil {
					return fmt.Errorf("it ends with verify, which needs the hot store (--no-verify does without): %w", err)
				}
			}
			k := &cfg.Kafka
			r, err := rebuild.Run(cmd.Context(), rebuild.Config{
				Table: table, Client: clientOf(cfg), Topic: k.Topics.Events, Chunks: k.Topics.Chunks, Group: k.GroupOf(partCold),
				DedupWindow: cfg.Dedup.Window, Replace: replace, DryRun: dryRun,
				Progress: progress.Steps(cmd.ErrOrStderr(), progress.Options{Title: "rebuild: data files"}),
			})
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			if err != nil {
				return failed(err)
			}
			return endRebuild(cmd, g, cfg, &r, dryRun || noVerify)
		},
	}
	f := c.Flags()
	f.BoolVar(&yes, "yes", false, "do it")
	f.BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	f.BoolVar(&replace, "replace", false, "also where the table can be read")
	f.BoolVar(&noVerify, "no-verify", false, "leave out the verify at the end")
	return c
}

// endRebuild tells what was done, and verifies it.
func endRebuild(cmd *cobra.Command, g *globals, cfg *config.Config, r *rebuild.Result, done bool) error {
	report := struct {
		*rebuild.Result
		Verify *verify.Result `json:"verify"` // null without one
	}{Result: r}
	if !g.json {
		if err := tellRebuild(cmd.OutOrStdout(), r); err != nil || done {
			return err
		}
	}
	if !done {
		vc, err := verifyConfig(cmd.Context(), cfg, nil, cmd.ErrOrStderr())
		if err != nil {
			return keepCode(err)
		}
		if report.Verify, err = verify.Run(cmd.Context(), *vc); err != nil {
			return failed(fmt.Errorf("the table is rebuilt, but: verify: %w", err))
		}
	}
	var err error
	if g.json {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = showVerify(cmd.OutOrStdout(), false, true, report.Verify)
	}
	if err == nil && report.Verify != nil && !report.Verify.OK {
		return &exitError{code: exitFound}
	}
	return err
}

func tellRebuild(w io.Writer, r *rebuild.Result) error {
	word := fmt.Sprintf("version %d", r.Version)
	if r.DryRun {
		word = "nothing was changed; a new version would have"
	}
	fmt.Fprintf(w, "%s: %d rows, from %d of %d files whole and %d in part; %d hold nothing new; %d repeats stay removed\n",
		word, r.Rows, r.Whole, r.Found, r.Part, r.LeftOut, r.Repeats)
	for _, p := range r.Position {
		fmt.Fprintf(w, "%s/%d goes on at offset %d\n", p.Topic, p.Partition, p.Next)
	}
	return nil
}
