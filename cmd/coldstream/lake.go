package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/lake"
)

func newLakeCommand(g *globals) *cobra.Command {
	return group("lake", "The archive's table: what it holds, and how to go on after a loss",
		newLakeShowCommand(g), newExpireCommand(g), newRebuildCommand(g), newAcceptGapCommand(g), newAdoptTopicCommand(g))
}

// consent is how a command that gives something up is told to.
type consent struct {
	yes, dryRun bool
	wait        time.Duration
}

func (c *consent) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.yes, "yes", false, "do it, and record it in the table")
	f.BoolVar(&c.dryRun, "dry-run", false, "only say what would be done")
	f.DurationVar(&c.wait, "wait", 30*time.Second, "how long to wait while the workers' group or the committer is busy")
}

func (c *consent) check() error {
	if c.yes == c.dryRun {
		return usagef("this gives up records for good: look with --dry-run first, then say --yes")
	}
	return nil
}

// insist tries again for a while, where a worker that is being started again and again is in the way, or a commit.
func (c *consent) insist(ctx context.Context, try func() (lake.Decision, error)) (lake.Decision, error) {
	for end := time.Now().Add(c.wait); ; {
		d, err := try()
		busy := errors.Is(err, lake.ErrHeld) || errors.Is(err, lake.ErrPending)
		if !busy || time.Now().After(end) {
			return d, err
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

const acceptGapLong = `Goes on without source offsets that are gone for ever: deleted by retention before they were archived,
or passed by the workers and in no checkpoint. Each partition's position in the table is raised to where
records are there again, by a commit that records who gave up what (see "coldstream lake show").

The position is never lowered, and nothing is given up that can still be had: the command refuses if
nothing is missing, if --to lies beyond the missing offsets, while the committer has checkpoints to take
from below the gap (let it run), and while a worker that may still hold the records in memory owns the
partition (stop the archive's workers). Workers and committer that stopped go on when they are started
again, as "up" and "run" do by themselves. It concerns the archive only, not the hot store.

With --chunks it goes on after topic "chunks" lost records that the table does not have: its position
moves to the start of that log, and what the lost checkpoints covered becomes a gap. If the events topic
still has those records, they are not archived all the same.

Exit status: 0 done, 2 wrong flags or neither --yes nor --dry-run, 3 refused or could not.`

func newAcceptGapCommand(g *globals) *cobra.Command {
	r := lake.GapRequest{}
	var c consent
	var partition int32
	cmd := &cobra.Command{
		Use: "accept-gap", Short: "Go on without source offsets that are gone for ever", Args: cobra.NoArgs, Long: acceptGapLong,
		Example: "  coldstream lake accept-gap --dry-run\n  coldstream lake accept-gap --yes\n" +
			"  coldstream lake accept-gap --topic events --partition 3 --to 81200 --yes\n  coldstream lake accept-gap --chunks --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			set := cmd.Flags().Changed
			switch r.Partition = lake.AllPartitions; {
			case set("partition") && partition < 0, set("to") && r.To < 1:
				return usagef("--partition starts at 0, --to at 1")
			case set("to") && !set("partition"):
				return usagef("--to needs --partition")
			case r.LostChunks && set("partition"):
				return usagef("--chunks concerns all partitions: leave out --partition and --to")
			case set("partition"):
				r.Partition = partition
			}
			return decide(cmd, g, &c, func(t *lake.Table, cfg *config.Config) (lake.Decision, error) {
				req := r
				req.Client, req.Chunks, req.Group = clientOf(cfg), cfg.Kafka.Topics.Chunks, cfg.Kafka.GroupOf(partCold)
				if req.Topic == "" {
					req.Topic = cfg.Kafka.Topics.Events
				}
				req.By, req.DryRun = whoami(), c.dryRun
				return t.AcceptGap(cmd.Context(), req)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Topic, "topic", "", "`TOPIC` of events (default the configured one)")
	f.Int32Var(&partition, "partition", 0, "only this partition `P` (default every one that misses something)")
	f.Int64Var(&r.To, "to", 0, "the first `OFFSET` to go on with (default where records are there again)")
	f.BoolVar(&r.LostChunks, "chunks", false, "records of topic chunks are gone")
	c.flags(cmd)
	return cmd
}

const adoptTopicLong = `Goes on after a topic was deleted and made again on the same cluster. Until then workers and committer refuse
it, because its offsets mean other records.

A topic of events becomes a further source of the table: it gets the next source number and is read from
the start of its log; the rows of the old one stay as they are. What the old one had and the archive did
not is lost. Offsets that the archive's group committed under the topic's name are deleted, so no worker
may run meanwhile. The hot store's group keeps its own offsets.

Topic "chunks" is followed from offset 0 on. Records of the old one that were not committed show as a gap
afterwards: see "coldstream lake accept-gap". If both were made again, adopt "chunks" first.

Exit status: 0 done, 2 wrong flags or neither --yes nor --dry-run, 3 refused or could not.`

func newAdoptTopicCommand(g *globals) *cobra.Command {
	var topic string
	var c consent
	cmd := &cobra.Command{
		Use: "adopt-topic", Short: "Go on with a topic that was deleted and made again", Args: cobra.NoArgs, Long: adoptTopicLong,
		Example: "  coldstream lake adopt-topic --topic events --dry-run\n  coldstream lake adopt-topic --topic events --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if topic == "" {
				return usagef("--topic is missing: the topic that was made again")
			}
			return decide(cmd, g, &c, func(t *lake.Table, cfg *config.Config) (lake.Decision, error) {
				return t.AdoptTopic(cmd.Context(), lake.AdoptRequest{
					Client: clientOf(cfg), Chunks: cfg.Kafka.Topics.Chunks, Group: cfg.Kafka.GroupOf(partCold),
					Topic: topic, By: whoami(), DryRun: c.dryRun,
				})
			})
		},
	}
	cmd.Flags().StringVar(&topic, "topic", "", "`TOPIC` that was made again")
	c.flags(cmd)
	return cmd
}

// decide runs a decision about the table, and tells it.
func decide(cmd *cobra.Command, g *globals, c *consent, try func(*lake.Table, *config.Config) (lake.Decision, error)) error {
	if err := c.check(); err != nil {
		return err
	}
	cfg, table, err := g.lakeTable(true)
	if err != nil {
		return err
	}
	d, err := c.insist(cmd.Context(), func() (lake.Decision, error) { return try(table, cfg) })
	if err != nil {
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		return failed(err)
	}
	if g.json {
		return printJSON(cmd.OutOrStdout(), struct {
			DryRun bool `json:"dry_run"`
			lake.Decision
		}{c.dryRun, d})
	}
	return tellDecision(cmd.OutOrStdout(), &d, c.dryRun)
}

func tellDecision(w io.Writer, d *lake.Decision, dryRun bool) error {
	done := "recorded in the table"
	if dryRun {
		done = "nothing was changed; --yes does it"
	}
	for _, r := range d.Ranges {
		fmt.Fprintf(w, "%s/%d: offsets %d to %d (%d) are given up\n", r.Topic, r.Partition, r.From, r.To-1, r.To-r.From)
	}
	switch d.Kind {
	case lake.KindTopic:
		fmt.Fprintf(w, "topic %s: id %s takes the place of %s\n", d.Topic, d.NewID, d.OldID)
	case lake.KindChunks:
		fmt.Fprintf(w, "topic chunks: the position goes from %d to %d\n", d.ChunksFrom, d.ChunksTo)
	}
	_, err := fmt.Fprintln(w, done)
	return err
}

// lakeTable opens the table of the system that the command talks to.
func (g *globals) lakeTable(kafka bool) (*config.Config, *lake.Table, error) {
	cfg, err := g.system()
	if err != nil {
		return nil, nil, err
	}
	if err = cfg.Need(kafka, true, false); err != nil {
		return nil, nil, err
	}
	table, err := openTable(cfg)
	return cfg, table, failed(err)
}

// whoami is the user and host that a decision is recorded under.
func whoami() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
