package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/embedded/clickhouse"
)

// Set by the linker; otherwise read from what the Go toolchain recorded.
var version, commit string

type versionResult struct {
	Version    string `json:"version"`
	Commit     string `json:"commit"`
	Go         string `json:"go"`
	ClickHouse string `json:"clickhouse_engine"`
}

func versions() versionResult {
	r := versionResult{Version: version, Commit: commit, Go: runtime.Version(), ClickHouse: clickhouse.Version}
	if info, ok := debug.ReadBuildInfo(); ok {
		if r.Version == "" {
			r.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && r.Commit == "" {
				r.Commit = s.Value
			}
		}
	}
	return r
}

func newVersionCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Version, commit, and the versions of the embedded engines", Args: cobra.NoArgs,
		Example: "  coldstream version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions()
			if g.json {
				return printJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "coldstream %s\ncommit     %s\ngo         %s\nclickhouse %s (embedded engine)\n", v.Version, v.Commit, v.Go, v.ClickHouse)
			return err
		},
	}
}
