package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/redact"
)

// pseudonymResult is one user under one key.
type pseudonymResult struct {
	ID      string `json:"id"`
	Key     string `json:"key"`
	From    string `json:"from,omitempty"` // of the events' times; without: from the first
	To      string `json:"to,omitempty"`   // not among them; without: to the last
	UserRef string `json:"user_ref"`
	UserID  string `json:"user_id"`
}

// newIDPseudonymCommand tells whoever has the policy's keys where a user's rows are.
func newIDPseudonymCommand(g *globals) *cobra.Command {
	var policy, at string
	c := &cobra.Command{
		Use: "pseudonym ID…", Short: "Show what stands for a user in both stores, by the keys of a policy with `users: pseudonym`", Args: cobra.MinimumNArgs(1),
		Long: `Shows the pseudonyms of users: a line for each key, since rows have the one of the key that was for the time of
their event. user_ref and user_id are the columns of both stores. An ID is a Snowflake, or the text of an opaque id, as
the producer writes it. The keys are read as the pipelines read them; nothing is asked of any server.`,
		Example: `  coldstream id pseudonym 175928847299117063
  coldstream id pseudonym --policy policy.yaml --at 2026-11-20T00:00:00Z alice bob
  coldstream id pseudonym --json 175928847299117063 | jq -r .user_ref
  coldstream sql "SELECT event_time, content FROM messages WHERE user_ref = 'k1:abcdefghijklmnopqrstuvwxyz'"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var when time.Time
			if at != "" {
				var err error
				if when, err = time.Parse(time.RFC3339Nano, at); err != nil {
					return usagef("--at %q: want RFC 3339, such as 2026-11-20T00:00:00Z", at)
				}
			}
			program, err := pseudonymPolicy(g, policy)
			if err != nil {
				return err
			}
			results, err := pseudonymsOf(program, args, when)
			if err != nil {
				return err
			}
			return showPseudonyms(cmd.OutOrStdout(), g.json, results)
		},
	}
	c.Flags().StringVar(&policy, "policy", "", "`FILE` with the keys (default: redact.policy of the configuration)")
	c.Flags().StringVar(&at, "at", "", "only the pseudonym in rows of events of this `TIME`, RFC 3339 (default: all)")
	return c
}

func pseudonymPolicy(g *globals, file string) (*processors.Program, error) {
	if file != "" {
		return loadPolicy(file, func(*redact.Policy) {})
	}
	cfg, err := config.Load(g.config, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	if cfg.Redact.Policy == "" {
		return nil, usagef("no policy: name one by --policy FILE, or set redact.policy")
	}
	return chainProgram(cfg)
}

// pseudonymsOf are those of all users, or of one time.
func pseudonymsOf(p *processors.Program, ids []string, at time.Time) ([]pseudonymResult, error) {
	var results []pseudonymResult
	for _, id := range ids {
		all := p.Pseudonyms(id)
		if all == nil {
			return nil, usagef("the policy does not say `users: pseudonym`: rows have the ids of users as they came")
		}
		for _, n := range all {
			if !at.IsZero() && (at.Before(n.From) || !n.To.IsZero() && !at.Before(n.To)) {
				continue
			}
			results = append(results, pseudonymResult{id, n.Key, moment(n.From), moment(n.To), n.Ref, fmt.Sprint(n.UserID)})
		}
	}
	return results, nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func showPseudonyms(w io.Writer, asJSON bool, results []pseudonymResult) error {
	if asJSON {
		for _, r := range results {
			if err := printJSON(w, r); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKEY\tEVENTS FROM\tTO\tUSER_REF\tUSER_ID")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Key, orDash(r.From), orDash(r.To), r.UserRef, r.UserID)
	}
	return table.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
