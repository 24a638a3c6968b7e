package processors

import (
	"errors"

	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/processors/rules"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// kind is what a stage does.
type kind uint8

const (
	kindFilter kind = iota // keeps only what a condition holds for
	kindDrop
	kindSet
	kindRoute
	kindUse // a processor of the user's
	kindRedact
)

// String is the stage's key in a policy, and the reason for which it drops events.
func (k kind) String() string {
	return [...]string{"filter", "drop", "set", "route", "use", "redact"}[k]
}

// stagePlan is one stage as the policy says, compiled. It is shared by all partitions.
type stagePlan struct {
	name  string
	kind  kind
	when  *rules.Expr // nil: always
	cond  *rules.Expr // of filter and drop
	skip  bool        // an event that the stage cannot take goes on as it is
	topic string
	leave bool
	sets  []assignment

	factory custom.Factory
	with    custom.Options
}

// assignment is one field that a stage sets.
type assignment struct {
	column func(b *schemas.Batch) []schemas.Text // nil: a member of extra
	name   string                                // of the column, or of the member
	expr   *rules.Expr
}

// ruled runs a stage of expressions, row by row. An event that the resolver completed goes by untouched: the chain has
// seen what it was made of.
type ruled struct {
	plan   *stagePlan
	row    rules.Row
	values [][]byte
}

// Process applies the stage to every row.
func (r *ruled) Process(b *schemas.Batch) error {
	for i := range b.EventID {
		if b.Fields[i].Has(schemas.FieldResolves) {
			continue
		}
		err := r.apply(b, i)
		if err == nil || r.plan.skip {
			continue
		}
		var refusal *schemas.Refusal
		if !errors.As(err, &refusal) {
			return err
		}
		b.Refuse(i, refusal)
	}
	return nil
}

func (r *ruled) apply(b *schemas.Batch, i int) error {
	p := r.plan
	r.row.At(b, i)
	if p.when != nil {
		if ok, err := p.when.Bool(&r.row); err != nil || !ok {
			return err
		}
	}
	switch p.kind {
	case kindFilter, kindDrop:
		holds, err := p.cond.Bool(&r.row)
		if err == nil && holds == (p.kind == kindDrop) {
			b.Drop(i)
		}
		return err
	case kindRoute:
		if !b.Route(i, p.topic, p.leave) {
			return schemas.Refusef("route", "one batch goes to %d topics at most", schemas.MaxRoutes)
		}
		return nil
	default:
		return r.set(b, i)
	}
}

// set works out every value before it changes anything, so that the order of a stage's fields does not matter.
func (r *ruled) set(b *schemas.Batch, i int) error {
	for len(r.values) < len(r.plan.sets) {
		r.values = append(r.values, nil)
	}
	for at, a := range r.plan.sets {
		v := r.values[at][:0]
		if a.column != nil {
			text, err := a.expr.Text(&r.row)
			if err != nil {
				return err
			}
			v = append(v, text...)
		} else {
			var err error
			if v, err = a.expr.JSON(v, &r.row); err != nil {
				return err
			}
		}
		if len(v) > schemas.MaxEventBytes {
			return schemas.Refusef("too_large", "the stage %s makes %s %d bytes long, above %d", r.plan.name, a.name, len(v), schemas.MaxEventBytes)
		}
		r.values[at] = v
	}
	extra := b.Bytes(b.Extra[i])
	changed := false
	for at, a := range r.plan.sets {
		if a.column == nil {
			var err error
			if extra, err = setMember(extra, a.name, r.values[at]); err != nil {
				return schemas.Refusef("extra", "%s: %v", a.name, err)
			}
			changed = true
		}
	}
	for at, a := range r.plan.sets {
		if a.column == nil {
			continue
		}
		a.column(b)[i] = b.AddText(r.values[at])
		if a.name == "content" {
			b.Fields[i] |= schemas.FieldContent
		}
	}
	if changed {
		b.Extra[i] = b.AddText(extra)
	}
	return nil
}

// setMember gives an object with one member set, in memory of its own. All of that name become one, where the first stood.
func setMember(object []byte, name string, value []byte) ([]byte, error) {
	if len(object) == 0 {
		object = []byte("{}")
	}
	out := append(make([]byte, 0, len(object)+len(name)+len(value)+len(`{"":,}`)), '{')
	add := func(parts ...[]byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		for _, p := range parts {
			out = append(out, p...)
		}
	}
	member := [][]byte{codec.AppendString(nil, name), []byte(":"), value}
	set := false
	w := codec.WalkOver(object)
	for w.Next() {
		if !w.Name().Is(name) {
			add(w.Member())
		} else if !set {
			add(member...)
			set = true
		}
	}
	switch {
	case w.Err() != nil:
		return nil, w.Err()
	case !w.Object():
		return nil, errors.New("it is no object")
	case !set:
		add(member...)
	}
	return append(out, '}'), nil
}
