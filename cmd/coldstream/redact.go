package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/processors/redact"
)

const redactExample = `  echo 'mail bob@example.com' | coldstream redact --spans
  coldstream redact < messages.ndjson > redacted.ndjson
  coldstream redact --off ip,phone < chat.txt
  coldstream redact --policy policy.yaml --stats --explain < chat.txt`

// newRedactCommand tries the redaction on a person's own text, without a system.
func newRedactCommand() *cobra.Command {
	var opts redact.StreamOptions
	var off []string
	var file string
	var stats bool
	c := &cobra.Command{
		Use: "redact", Short: "Redact texts from standard input, to try it offline",
		Long: `Reads NDJSON {"id","content"} or plain lines from standard input and writes one document a line:
{"id","content"} with the redacted text; the id of a plain line is its number from 1. A text that the
policy drops has "dropped":true instead of its content.`,
		Example: redactExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var types []redact.Type
			for _, name := range off {
				t, err := redact.ParseType(name)
				if err != nil {
					return usagef("--off: %w", err)
				}
				types = append(types, t)
			}
			program, err := loadPolicy(file, func(p *redact.Policy) { p.Off = append(p.Off, types...) })
			if err != nil {
				return err
			}
			seen, err := program.Engine().Run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), opts)
			if stats {
				err = errors.Join(err, seen.Write(cmd.ErrOrStderr()))
			}
			return err
		},
	}
	c.Flags().BoolVar(&opts.Spans, "spans", false, "add what was found, as byte offsets into the input text")
	c.Flags().StringSliceVar(&off, "off", nil, "`TYPES` not to look for, separated by commas")
	c.Flags().StringVar(&file, "policy", "", "policy to apply, a YAML `FILE`; see docs/redaction.md")
	c.Flags().BoolVar(&opts.Explain, "explain", false, "add which detector found what by which rule, and the action it met; implies --spans")
	c.Flags().BoolVar(&stats, "stats", false, "write counts by type, messages and bytes a second to standard error at the end")
	return c
}

// redactTypes are the types of a list: all, none, or some by name.
func redactTypes(names []string) (map[redact.Type]bool, error) {
	on := map[redact.Type]bool{}
	for _, name := range names {
		switch {
		case len(names) == 1 && name == "none":
		case len(names) == 1 && name == "all":
			for _, t := range redact.Types() {
				on[t] = true
			}
		default:
			t, err := redact.ParseType(name)
			if err != nil {
				return nil, err
			}
			on[t] = true
		}
	}
	return on, nil
}
