package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors/cases"
	"github.com/coldstream/coldstream/processors/redact"
)

const configTestExample = `  coldstream config test cases.yaml

  # cases.yaml
  policy: policy.yaml          # relative to this file
  cases:
    - name: addresses are redacted
      events: {content: "write to bob@example.com", user_name: Bob}
      expect: {content: "write to [REDACTED:email]", redactions: 1}`

func newConfigTestCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "test FILE…", Short: "Run your own cases against a policy: events in, what becomes of them out", Args: cobra.MinimumNArgs(1),
		Long: `Reads cases from YAML files, puts each case's events through decoding, dedup and the policy's chain as
the pipelines do, and compares. The policy is the file's own, else that of --config. An event is a mapping (without
event_id and channel_id it gets some) or a text of the record's bytes. What is expected: any of the event's fields, extra, redactions;
dropped: STAGE, dead: PART OF THE ERROR, routed: TOPIC. Fields that are not named may be as they like; null: not there.
Exit status: 0 all as expected, 1 something is not, 2 a file has mistakes. It needs no servers.`,
		Example: configTestExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(g.config, os.LookupEnv)
			if err != nil {
				return err
			}
			results := map[string][]cases.Result{}
			for _, name := range args {
				if results[name], err = testFile(cfg, name); err != nil {
					return err
				}
			}
			return showCases(cmd.OutOrStdout(), g.json, args, results)
		},
	}
}

func testFile(cfg *config.Config, name string) ([]cases.Result, error) {
	doc, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("%w", err)
	}
	f, err := cases.Load(name, doc)
	if err != nil {
		return nil, err
	}
	s := cases.Settings{Epoch: cfg.Epoch, Opaque: cfg.IDs == "opaque", Window: cfg.Dedup.Window}
	if f.Policy != "" {
		s.Program, err = loadPolicy(f.Policy, func(*redact.Policy) {})
	} else {
		s.Program, err = chainProgram(cfg)
	}
	if err != nil {
		return nil, err
	}
	results, err := f.Run(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return results, nil
}

func showCases(w io.Writer, asJSON bool, names []string, results map[string][]cases.Result) error {
	var all []cases.Result
	failed := 0
	for _, name := range names {
		for _, r := range results[name] {
			all = append(all, r)
			if !r.OK {
				failed++
			}
			if !asJSON {
				showCase(w, name, &r)
			}
		}
	}
	if asJSON {
		if err := printJSON(w, map[string]any{"ok": failed == 0, "cases": all}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%d cases, %d failed\n", len(all), failed)
	}
	if failed > 0 {
		return &exitError{code: exitFound}
	}
	return nil
}

func showCase(w io.Writer, file string, r *cases.Result) {
	if r.OK {
		fmt.Fprintf(w, "ok    %s\n", r.Name)
		return
	}
	fmt.Fprintf(w, "FAIL  %s (%s:%d)\n", r.Name, file, r.Line)
	for _, d := range r.Diff {
		fmt.Fprintf(w, "      event %d: %s\n      - %s\n      + %s\n", d.Event, d.Field, shown(d.Want), shown(d.Got))
	}
}

// shown is a value on one line.
func shown(v any) string {
	if v == nil {
		return "not there"
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(text.String())
}
