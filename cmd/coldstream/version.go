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
	ClickHouse string `json:"clickhouse_engine"` // release of libchdb
	Broker     string `json:"broker_engine"`
	Store      string `json:"object_store_engine"`
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
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/twmb/franz-go/pkg/kfake":
				r.Broker = "kfake " + d.Version
			case "github.com/versity/versitygw":
				r.Store = "versitygw " + d.Version
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
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "coldstream %s\ncommit     %s\ngo         %s\nembedded   libchdb %s, %s, %s\n", v.Version, v.Commit, v.Go, v.ClickHouse, v.Broker, v.Store)
			return err
		},
	}
}
