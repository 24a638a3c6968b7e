package processors

import (
	"fmt"
	"runtime/debug"

	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/schemas"
)

// own runs a processor of the user's. A panic of it becomes an error: the pipeline reads again instead of dying.
type own struct {
	name string
	p    custom.Processor
}

func newOwn(s *stagePlan) (_ processor, err error) {
	defer caught(&err)
	p, err := s.factory(s.with)
	if err != nil {
		return nil, err
	}
	return &own{s.name, p}, nil
}

// Process lets the processor work, and holds it to what it must not do.
func (o *own) Process(b *schemas.Batch) (err error) {
	defer caught(&err)
	n := b.Len()
	if err := o.p.Process(b); err != nil {
		return err
	}
	if b.Len() != n {
		return fmt.Errorf("%d rows became %d: a processor drops rows with Drop, and adds none", n, b.Len())
	}
	return nil
}

func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
