package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/sinks/resolver"
)

func newDLQWaitingCommand(g *globals) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "waiting", Short: "List the edits, deletes and restores whose message is not known yet", Args: cobra.NoArgs,
		Long: "Lists what the resolver has not been able to complete, oldest first: it is tried again when messages arrive, and\n" +
			"becomes a dead letter after resolver.give_up. Deletes of channels and guilds stand there until they are written.",
		Example: "  coldstream dlq waiting\n  coldstream dlq waiting --json --limit 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			if err := cfg.Need(false, false, true); err != nil {
				return err
			}
			client, err := openClickHouse(cfg)
			if err != nil {
				return usagef("%w", err)
			}
			defer client.CloseIdle()
			list, err := resolver.List(cmd.Context(), client, limit)
			if err != nil {
				return failed(err)
			}
			if g.json {
				if list == nil {
					list = []resolver.Waiter{}
				}
				return printJSON(cmd.OutOrStdout(), list)
			}
			now := time.Now()
			for _, w := range list {
				ends := ""
				if !w.Whole() {
					ends = ", a dead letter in " + max(0, cfg.Resolver.GiveUp-now.Sub(w.Since)).Round(time.Second).String()
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %-18s waits for %s since %s%s\n", w.ID(), w.EventID, w.Type, w.Target, now.Sub(w.Since).Round(time.Second), ends)
			}
			all, err := resolver.Waiting(cmd.Context(), client)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d wait\n", all)
			return nil
		},
	}
	c.Flags().IntVar(&limit, "limit", 1000, "at most so many (0: all)")
	return c
}

// andWaiting says beside the dead letters how many events wait and may become some; nothing where ClickHouse is not there to ask.
func andWaiting(ctx context.Context, cfg *config.Config) string {
	if cfg.ClickHouse.Addr == "" {
		return ""
	}
	client, err := openClickHouse(cfg)
	if err != nil {
		return ""
	}
	defer client.CloseIdle()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	n, err := resolver.Waiting(ctx, client)
	if err != nil {
		return "; what waits is not known: " + err.Error()
	}
	return fmt.Sprintf("; %d events wait for their message (`coldstream dlq waiting`)", n)
}
