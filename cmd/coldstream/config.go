package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
)

func newConfigCommand(g *globals) *cobra.Command {
	return group("config", "A file to start from, the effective configuration, and what is wrong with it",
		&cobra.Command{
			Use: "init", Short: "Print a commented configuration file with every default", Args: cobra.NoArgs,
			Example: "  coldstream config init > coldstream.yaml",
			RunE: func(cmd *cobra.Command, _ []string) error {
				return config.Write(cmd.OutOrStdout(), config.Default(), true, true)
			},
		},
		newConfigPrintCommand(g),
		newConfigLintCommand(g),
		newConfigTestCommand(g))
}

func newConfigPrintCommand(g *globals) *cobra.Command {
	var defaults, secrets bool
	c := &cobra.Command{
		Use: "print", Short: "Print the effective configuration", Args: cobra.NoArgs,
		Example: "  coldstream config print --config coldstream.yaml\n  coldstream config print --defaults",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := config.Default()
			if !defaults {
				var err error
				if cfg, err = g.system(); errors.Is(err, config.ErrNotRunning) {
					cfg, err = config.Load(g.config, os.LookupEnv)
				}
				if err != nil {
					return err
				}
			}
			if g.json {
				values := map[string]string{}
				for _, k := range config.Keys {
					values[k.Path] = strings.Trim(k.Get(cfg), `"`)
					if k.Secret && !secrets && values[k.Path] != "" {
						values[k.Path] = "***"
					}
				}
				return printJSON(cmd.OutOrStdout(), values)
			}
			return config.Write(cmd.OutOrStdout(), cfg, false, secrets)
		},
	}
	c.Flags().BoolVar(&defaults, "defaults", false, "the defaults alone")
	c.Flags().BoolVar(&secrets, "secrets", false, "show passwords and keys")
	return c
}
