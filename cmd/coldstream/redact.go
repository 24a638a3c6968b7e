package main

import (
	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/processors/redact"
)

const redactExample = `  echo 'mail bob@example.com' | coldstream redact --spans
  coldstream redact < messages.ndjson > redacted.ndjson
  coldstream redact --off ip,phone < chat.txt`

// newRedactCommand tries the redaction on a person's own text, without a system.
func newRedactCommand() *cobra.Command {
	var opts redact.StreamOptions
	var off []string
	c := &cobra.Command{
		Use: "redact", Short: "Redact texts from standard input, to try it offline",
		Long: `Reads NDJSON {"id","content"} or plain lines from standard input and writes one document a line:
{"id","content"} with the redacted text; the id of a plain line is its number from 1.`,
		Example: redactExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var policy redact.Policy
			for _, name := range off {
				t, err := redact.ParseType(name)
				if err != nil {
					return usagef("--off: %w", err)
				}
				policy.Off = append(policy.Off, t)
			}
			engine, err := redact.New(policy)
			if err != nil {
				return err
			}
			return engine.Run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), opts)
		},
	}
	c.Flags().BoolVar(&opts.Spans, "spans", false, "add what was found, as byte offsets into the input text")
	c.Flags().StringSliceVar(&off, "off", nil, "`TYPES` not to look for, separated by commas")
	return c
}
