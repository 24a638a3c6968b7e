package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

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
