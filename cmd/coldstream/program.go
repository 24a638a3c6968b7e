package main

import (
	"errors"
	"os"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/redact"
)

// loadPolicy reads a policy file; none gives the default policy. adjust changes the policy and its overrides.
func loadPolicy(file string, adjust func(*redact.Policy)) (*processors.Program, error) {
	if file != "" {
		return processors.Load(file, processors.LoadOptions{Lookup: os.LookupEnv, Adjust: adjust})
	}
	f := &redact.File{}
	adjust(&f.Policy)
	return processors.New(f)
}

// chainProgram is what the configuration says is done to events: the policy of its file, if there is one, for the
// configured types.
func chainProgram(cfg *config.Config) (*processors.Program, error) {
	on, err := redactTypes(cfg.Redact.Types)
	if err != nil {
		return nil, config.Problems{{Key: "redact.types", Text: err.Error()}}
	}
	p, err := loadPolicy(cfg.Redact.Policy, func(p *redact.Policy) {
		if p.Version == 0 {
			p.Version = uint32(cfg.Redact.Version)
		}
		for _, t := range redact.Types() {
			if !on[t] {
				p.Off = append(p.Off, t)
			}
		}
	})
	if err != nil && !errors.As(err, new(config.Problems)) {
		err = config.Problems{{Key: "redact.policy", Text: err.Error()}}
	}
	return p, err
}
