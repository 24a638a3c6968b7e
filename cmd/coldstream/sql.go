package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/netutil"
)

func newSQLCommand(g *globals) *cobra.Command {
	var format string
	var analyst bool
	c := &cobra.Command{
		Use: "sql [QUERY]", Short: "One query, or a prompt, on ClickHouse",
		Long:    "Runs one query, or opens a prompt when there is none and the input is a terminal; otherwise reads the query from\nstandard input. Views: messages (what a reader may see), messages_all (with deleted ones), events (the lake, as a log).",
		Example: "  coldstream sql 'SELECT count() FROM messages'\n  coldstream sql --json 'SELECT channel_name, count() FROM events GROUP BY 1'\n  coldstream sql --format CSV 'SELECT * FROM messages LIMIT 10' > page.csv\n  coldstream sql",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			if err := cfg.Need(false, false, true); err != nil {
				return err
			}
			s, err := newSQLClient(cfg.ClickHouse, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return failed(err)
			}
			s.format = sqlFormat(g.json, format, s.out)
			if analyst {
				if err := s.becomeAnalyst(g); err != nil {
					return err
				}
			}
			switch {
			case len(args) == 1:
				return s.run(cmd.Context(), args[0])
			case term.IsTerminal(int(os.Stdin.Fd())):
				return s.prompt(cmd.Context())
			}
			q, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return failed(err)
			}
			return s.run(cmd.Context(), string(q))
		},
	}
	c.Flags().StringVar(&format, "format", "", "any ClickHouse `FORMAT` (default a table on a terminal, TabSeparatedWithNames elsewhere)")
	c.Flags().BoolVar(&analyst, "analyst", false, "as the read-only user of `coldstream up`")
	return c
}

func sqlFormat(json bool, format string, out io.Writer) string {
	switch {
	case format != "":
		return format
	case json:
		return "JSON"
	case isTerminal(out):
		return "PrettyCompactMonoBlock"
	default:
		return "TabSeparatedWithNames"
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

type sqlClient struct {
	cfg    config.ClickHouse
	format string
	out    io.Writer
	errs   io.Writer
	base   string // of the server's URL
	http   *http.Client
}

func newSQLClient(cfg config.ClickHouse, out, errs io.Writer) (*sqlClient, error) {
	trust, err := clickHouseTrust(cfg)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	return &sqlClient{cfg: cfg, out: out, errs: errs, base: strings.TrimRight(netutil.URL(cfg.Addr), "/"), http: &http.Client{Transport: transport}}, nil
}

func (s *sqlClient) becomeAnalyst(g *globals) error {
	dir, err := g.dataDir()
	if err != nil {
		return err
	}
	r, err := config.ReadReady(dir)
	if err != nil {
		return failed(fmt.Errorf("--analyst: %w", err))
	}
	s.cfg.User, s.cfg.Password = r.ClickHouse.Analyst.User, r.ClickHouse.Analyst.Password
	return nil
}

// ClickHouse's codes of SQL that does not parse, and of a format that it does not know.
const (
	syntaxError   = "62"
	unknownFormat = "73"
)

// run sends one query and copies its result.
func (s *sqlClient) run(ctx context.Context, query string) error {
	query = strings.TrimRight(strings.TrimSpace(query), ";")
	if query == "" {
		return usagef("the query is empty")
	}
	values := url.Values{"database": {s.cfg.Database}, "default_format": {s.format}}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && isTerminal(s.out) {
		values.Set("output_format_pretty_max_value_width", fmt.Sprint(max(width/3, 20)))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/?"+values.Encode(), strings.NewReader(query))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("X-ClickHouse-User", s.cfg.User)
	req.Header.Set("X-ClickHouse-Key", s.cfg.Password)
	resp, err := s.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return failed(fmt.Errorf("ClickHouse at %s: %w", s.cfg.Addr, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s.refused(resp)
	}
	if _, err := io.Copy(s.out, resp.Body); err != nil {
		return failed(fmt.Errorf("ClickHouse at %s ended its answer early: %w", s.cfg.Addr, err))
	}
	return nil
}

func (s *sqlClient) refused(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return failed(fmt.Errorf("ClickHouse at %s: %s, and then %w", s.cfg.Addr, resp.Status, err))
	}
	short, _, _ := strings.Cut(strings.TrimSpace(string(text)), ". Expected one of") // a list of all that ClickHouse knows
	switch resp.Header.Get("X-ClickHouse-Exception-Code") {
	case syntaxError, unknownFormat:
		return &exitError{exitUsage, errors.New(short)}
	default:
		return failed(errors.New(short))
	}
}

const sqlHelp = `End a query with ";" or an empty line. \q or Ctrl-D leaves. Views: messages, messages_all, events; table: names.`

// prompt reads queries until Ctrl-D.
func (s *sqlClient) prompt(ctx context.Context) error {
	fmt.Fprintf(s.out, "ClickHouse at %s, database %s. %s\n", s.cfg.Addr, s.cfg.Database, sqlHelp)
	for {
		query, err := readQuery()
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(s.out)
			return nil
		}
		if err != nil {
			return failed(err)
		}
		switch strings.TrimSpace(strings.TrimRight(query, "; \n")) {
		case "":
			continue
		case `\q`, "exit", "quit":
			return nil
		case `\?`, "help":
			fmt.Fprintln(s.out, sqlHelp)
			continue
		}
		start := time.Now()
		if err := s.run(ctx, query); err != nil {
			if ctx.Err() != nil {
				return err
			}
			fmt.Fprintln(s.errs, err)
			continue
		}
		fmt.Fprintf(s.out, "%.3f s\n", time.Since(start).Seconds())
	}
}

// terminal outlives one query so that its history does.
var terminal *term.Terminal

// readQuery reads lines until one ends with a semicolon or is empty. The terminal is raw only while it reads.
func readQuery() (string, error) {
	fd := int(os.Stdin.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, old) }()
	if terminal == nil {
		terminal = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{os.Stdin, os.Stdout}, "")
	}
	var q strings.Builder
	for {
		terminal.SetPrompt("coldstream> ")
		if q.Len() > 0 {
			terminal.SetPrompt("       ...> ")
		}
		line, err := terminal.ReadLine()
		if err != nil {
			return "", err
		}
		trimmed := strings.TrimSpace(line)
		q.WriteString(line + "\n")
		if trimmed == "" || strings.HasSuffix(trimmed, ";") || trimmed[0] == '\\' || q.Len() == len(line)+1 && (trimmed == "exit" || trimmed == "quit" || trimmed == "help") {
			return q.String(), nil
		}
	}
}
