package main

import (
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/jobs/verify"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/redact"
)

// verifyChains are the chain that the pipelines run now, and those of policies of before.
func verifyChains(cfg *config.Config, files []string) (*processors.Program, *processors.Chain, []verify.Redactor, error) {
	program, err := chainProgram(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	chain, err := program.Chain(nil)
	if err != nil {
		return nil, nil, nil, err
	}
	var earlier []verify.Redactor
	for _, file := range files {
		old, err := loadPolicy(file, func(*redact.Policy) {})
		if err != nil {
			return nil, nil, nil, err
		}
		if old.Version() >= program.Version() {
			return nil, nil, nil, usagef("--earlier-policy %s has version %d, and the present policy is %d", file, old.Version(), program.Version())
		}
		c, err := old.Chain(nil)
		if err != nil {
			return nil, nil, nil, err
		}
		earlier = append(earlier, c)
	}
	return program, chain, earlier, nil
}
