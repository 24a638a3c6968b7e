package main

import (
	"fmt"

	"github.com/spf13/cobra"

	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
)

func newMigrateCommand(g *globals) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the ClickHouse schema up to this binary's", Args: cobra.NoArgs,
		Example: "  coldstream migrate --dry-run\n  coldstream migrate --config coldstream.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			if err := cfg.Need(false, false, true); err != nil {
				return err
			}
			steps, err := schemaPending(cmd.Context(), cfg)
			if err == nil && !dryRun {
				params := ddl.Params{Epoch: cfg.Epoch, NoSearch: !cfg.Hot.Search}
				if cfg.S3.Endpoint != "" {
					table, err := openTable(cfg)
					if err != nil {
						return failed(err)
					}
					params.EventsDDL = eventsDDL(cfg, table)
				}
				steps, err = schemaMigrate(cmd.Context(), cfg, params)
			}
			if err != nil {
				return failed(err)
			}
			if g.json {
				if steps == nil {
					steps = []ddl.Migration{}
				}
				return printJSON(cmd.OutOrStdout(), steps)
			}
			word := "applied"
			if dryRun {
				word = "would apply"
			}
			for _, m := range steps {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %d %s\n", word, m.Version, m.Name)
			}
			if len(steps) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "the schema is up to date")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done")
	return c
}
