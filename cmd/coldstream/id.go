package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/schemas"
)

func newIDCommand(g *globals) *cobra.Command {
	return group("id", "Snowflake ids and pseudonyms, by hand", newIDParseCommand(g), newIDNewCommand(g), newIDPseudonymCommand(g))
}

// idEpoch is the configured epoch; an id can be read without a running system.
func (g *globals) idEpoch() (schemas.Epoch, error) {
	cfg, err := config.Load(g.config, os.LookupEnv)
	if err != nil {
		return 0, err
	}
	return cfg.Epoch, nil
}

type idResult struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	Worker   int       `json:"worker"`
	Process  int       `json:"process"`
	Sequence int       `json:"sequence"`
}

func showID(cmd *cobra.Command, g *globals, epoch schemas.Epoch, id int64) error {
	p := epoch.Parts(id)
	r := idResult{fmt.Sprint(id), p.Time, p.Worker, p.Process, p.Sequence}
	if g.json {
		return printJSON(cmd.OutOrStdout(), r)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  worker %d  process %d  sequence %d\n",
		r.ID, r.Time.Format("2006-01-02T15:04:05.000Z"), r.Worker, r.Process, r.Sequence)
	return err
}

func newIDParseCommand(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use: "parse ID…", Short: "Take Snowflakes apart", Args: cobra.MinimumNArgs(1),
		Example: "  coldstream id parse 175928847299117063\n  coldstream id parse -- -175928847299117063",
		RunE: func(cmd *cobra.Command, args []string) error {
			epoch, err := g.idEpoch()
			if err != nil {
				return err
			}
			for _, a := range args {
				id, err := schemas.ParseSnowflake(a)
				if err != nil {
					return usagef("%w", err)
				}
				if err := showID(cmd, g, epoch, id); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w; an id from before the epoch is negative, write it after two dashes: coldstream id parse -- -5", errUsage, err)
	})
	return c
}

func newIDNewCommand(g *globals) *cobra.Command {
	var worker, process int
	var at string
	c := &cobra.Command{
		Use: "new", Short: "Make a Snowflake of now, or of a time", Args: cobra.NoArgs,
		Example: "  coldstream id new\n  coldstream id new --time 2023-05-10T14:30:00Z",
		RunE: func(cmd *cobra.Command, _ []string) error {
			epoch, err := g.idEpoch()
			if err != nil {
				return err
			}
			clock := time.Now
			if at != "" {
				t, err := time.Parse(time.RFC3339Nano, at)
				if err != nil {
					return usagef("--time %q: want RFC 3339, such as 2023-05-10T14:30:00Z", at)
				}
				clock = func() time.Time { return t }
			}
			gen, err := schemas.NewGenerator(epoch, worker, process, clock)
			if err != nil {
				return usagef("%w", err)
			}
			id, err := gen.Next()
			if err != nil {
				return usagef("%w", err)
			}
			return showID(cmd, g, epoch, id)
		},
	}
	c.Flags().IntVar(&worker, "worker", 0, "worker, 0 to 31")
	c.Flags().IntVar(&process, "process", 0, "process, 0 to 31")
	c.Flags().StringVar(&at, "time", "", "time of the id, RFC 3339 (default now)")
	return c
}
