package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors/redact"
)

func newConfigLintCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "lint FILE…", Short: "Say every mistake of configuration and policy files, with line and hint", Args: cobra.MinimumNArgs(1),
		Long: `Reads configuration files, each with the policy that its redact.policy names, and files of policies. It compiles what they
say, expressions and patterns among it, reads the keys that a policy names, and asks nothing of any server.
Exit status: 0 no mistakes, 2 some.`,
		Example: "  coldstream config lint coldstream.yaml\n  coldstream config lint policy.yaml",
		RunE:    func(cmd *cobra.Command, args []string) error { return lintFiles(cmd, g, args) },
	}
}

func lintFiles(cmd *cobra.Command, g *globals, files []string) error {
	all := config.Problems{}
	for _, f := range files {
		err := lintFile(f, cmd.ErrOrStderr())
		var ps config.Problems
		switch {
		case errors.As(err, &ps):
			all = append(all, ps...)
		case err != nil:
			return failed(err)
		}
	}
	switch out := cmd.OutOrStdout(); {
	case g.json:
		if err := printJSON(out, all); err != nil {
			return err
		}
	case len(all) > 0:
		fmt.Fprintln(out, all.Error())
	default:
		fmt.Fprintln(out, "no mistakes")
	}
	if len(all) > 0 {
		return &exitError{code: exitUsage}
	}
	return nil
}

// lintFile says the mistakes of a file as its error, and to w what is none and hardly meant.
func lintFile(file string, w io.Writer) error {
	if isPolicy(file) {
		_, err := loadPolicy(file, func(*redact.Policy) {})
		return err
	}
	cfg, err := config.Load(file, func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	for _, p := range cfg.Warnings() {
		fmt.Fprintf(w, "%s: warning: %v\n", file, p)
	}
	_, err = chainProgram(cfg)
	return err
}

// policyKeys are those that a policy may have; a configuration has none of them.
var policyKeys = []string{"version", "default", "types", "allow", "detectors", "fields", "users", "key", "keys", "overrides", "stages"}

// isPolicy says whether a file is a policy rather than a configuration: it has some of a policy's keys, and no section of a
// configuration.
func isPolicy(file string) bool {
	doc, err := os.ReadFile(file)
	if err != nil {
		return false // who reads it as a configuration says why
	}
	var top map[string]yaml.Node
	if yaml.Unmarshal(doc, &top) != nil {
		return false
	}
	for _, k := range config.Keys {
		section, _, _ := strings.Cut(k.Path, ".")
		if _, ok := top[section]; ok {
			return false
		}
	}
	return slices.ContainsFunc(policyKeys, func(key string) bool { _, ok := top[key]; return ok })
}
