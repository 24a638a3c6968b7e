package processors

import (
	"fmt"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// processor is the pipeline's Processor, as a stage implements it.
type processor interface {
	Process(b *schemas.Batch) error
}

// Chain is the stages of a program for one partition. It belongs to one goroutine at a time.
type Chain struct {
	version uint32
	stages  []stage
}

type stage struct {
	name  string
	run   processor
	count *counters // nil: not counted
}

// Chain makes the stages of one partition; m counts what they do, and may be nil.
func (p *Program) Chain(m *Meter) (*Chain, error) {
	c := &Chain{version: p.version}
	add := func(name, reason string, run processor) {
		c.stages = append(c.stages, stage{name, run, m.stage(name, reason)})
	}
	for _, s := range p.stages {
		run, err := p.make(s, m)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.name, err)
		}
		add(s.name, s.kind.String(), run)
		if s.kind == kindRedact && p.users {
			add(StageUsers, "pseudonym", newUsers(p.ring))
		}
	}
	return c, nil
}

func (p *Program) make(s *stagePlan, m *Meter) (processor, error) {
	switch s.kind {
	case kindRedact:
		return &Redact{policies: &p.policies, fields: &p.fields, found: m.detections()}, nil
	case kindUse:
		return newOwn(s)
	default:
		return &ruled{plan: s}, nil
	}
}

// Process runs every stage over the batch and removes the rows that they drop. What is refused stands in b.Refused, and
// what is routed is marked. After an error nothing of the batch may be stored.
func (c *Chain) Process(b *schemas.Batch) error {
	b.Policy = c.version
	for i := range c.stages {
		if b.Len() == 0 {
			return nil
		}
		if err := c.stages[i].process(b); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) process(b *schemas.Batch) error {
	in, refused, began := b.Len(), len(b.Refused()), time.Now()
	if err := s.run.Process(b); err != nil {
		s.count.fail()
		return fmt.Errorf("stage %s: %w", s.name, err)
	}
	dead := b.Refused()[refused:]
	for i := range dead {
		dead[i].Stage = s.name
	}
	b.Compact()
	s.count.add(in, in-b.Len()-len(dead), len(dead), time.Since(began))
	return nil
}
