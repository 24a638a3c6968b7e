package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
)

// errUsage marks errors of flags and arguments.
var errUsage = errors.New("usage")

// globals are the flags that every command has.
type globals struct {
	config    string
	data      string
	logFormat string
	logLevel  string
	json      bool

	unknown error // --help was asked of a command that is not there
}

const rootLong = `Coldstream keeps chat history as an event log: Kafka in, ClickHouse for the last days,
Parquet chunks under one Iceberg table for all of it.

A command finds the system by --config FILE, else by --data DIR (a folder that "coldstream up" runs from),
else by the default data folder if something runs from it.`

func newRootCommand(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use: "coldstream", Short: "Chat history as an event log", Long: rootLong,
		Example:      "  coldstream demo                      # the whole system on one box, with made-up chat\n  coldstream up                        # the same, empty\n  coldstream import irc logs/          # publish IRC logs\n  coldstream sql 'SELECT count() FROM messages'",
		SilenceUsage: true, SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: unknown command %q; `coldstream --help` lists them", errUsage, args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return g.setupLog(cmd.ErrOrStderr()) },
	}
	f := root.PersistentFlags()
	f.StringVar(&g.config, "config", "", "configuration `FILE`")
	f.StringVar(&g.data, "data", "", "data folder `DIR` of a running system (default $XDG_DATA_HOME/coldstream)")
	f.StringVar(&g.logFormat, "log-format", "text", "`text` or json, on standard error")
	f.StringVar(&g.logLevel, "log-level", "info", "debug, `info`, warn or error")
	f.BoolVar(&g.json, "json", false, "print the result as one JSON document")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(commands(g)...)
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Example = "  source <(coldstream completion bash)\n  coldstream completion zsh > \"${fpath[1]}/_coldstream\""
		}
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 { // --help of a command that is not there
			g.unknown = fmt.Errorf("%w: unknown command %q for %q", errUsage, words[0], cmd.CommandPath())
			return
		}
		help(cmd, args)
	})
	return root
}

// wrapArgs makes wrong arguments an error of usage, in every command.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return fmt.Errorf("%w: %w; see `%s --help`", errUsage, err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

func (g *globals) setupLog(w io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
		return fmt.Errorf("%w: --log-level %q: debug, info, warn or error", errUsage, g.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch g.logFormat {
	case "text":
		slog.SetDefault(slog.New(slog.NewTextHandler(w, o)))
	case "json":
		slog.SetDefault(slog.New(slog.NewJSONHandler(w, o)))
	default:
		return fmt.Errorf("%w: --log-format %q: text or json", errUsage, g.logFormat)
	}
	return nil
}

// dataDir is the data folder: the flag's, the environment's, or the default one.
func (g *globals) dataDir() (string, error) {
	dir := g.data
	if dir == "" {
		dir = os.Getenv("COLDSTREAM_DATA")
	}
	if dir == "" {
		return config.DefaultData()
	}
	return filepath.Abs(dir)
}

// system is the configuration of the system that a command talks to.
func (g *globals) system() (*config.Config, error) {
	if g.config != "" {
		return config.Load(g.config, os.LookupEnv)
	}
	cfg, err := config.Load("", os.LookupEnv)
	if err != nil {
		return nil, err
	}
	dir, err := g.dataDir()
	if err != nil {
		return nil, err
	}
	ready, err := config.ReadReady(dir)
	switch {
	case err == nil:
		ready.Apply(cfg, dir)
		return cfg, nil
	case errors.Is(err, config.ErrNotRunning) && g.data == "" && len(cfg.Kafka.Brokers) > 0:
		return cfg, nil // the environment names servers
	case errors.Is(err, config.ErrNotRunning):
		return nil, failed(fmt.Errorf("%w. Start it with `coldstream up%s`, or name a running system with --data DIR or --config FILE", err, dataHint(g.data)))
	default:
		return nil, failed(err)
	}
}

func dataHint(dir string) string {
	if dir == "" {
		return ""
	}
	return " --data " + dir
}

// printJSON prints one document.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// group is a command that only holds others: called alone it shows its help, with an unknown word it says so.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(subs...)
	var lines []string
	for _, s := range subs {
		if s.Example != "" {
			lines = append(lines, strings.TrimRight(s.Example, "\n"))
		}
	}
	c.Example = strings.Join(lines, "\n")
	return c
}
