// Package rules evaluates CEL expressions over the rows of a batch: the conditions and values of a policy's stages.
//
// The types to know are [Expr], compiled once and safe for concurrent use, and [Row], which points an expression at one
// row and belongs to one goroutine. Compile says what is wrong with an expression, with its place in it. Evaluation fails
// by a *schemas.Refusal, for this row alone: a field of `extra` that is not there, a value of another type, or more work
// than [CostLimit]. An expression sees the event and nothing else, no clock among it, so that it decides the same in every
// pipeline and at every time.
//
// CEL is specified at https://cel.dev; its units of cost at https://github.com/google/cel-spec.
package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/coldstream/coldstream/schemas"
)

const (
	// CostLimit is the most work that one evaluation may do, in CEL's units: about one a step, and one for every ten
	// characters that a search looks at. A text of the largest size can be searched a few times.
	CostLimit = 1_000_000

	maxSource = 16 << 10 // code points of an expression
)

// Want is what an expression has to result in.
type Want uint8

// What is wanted. Values that only `extra` has the type of are judged when they come.
const (
	Condition Want = iota // true or false
	Text                  // a string
	Value                 // anything that JSON has a form for
)

// Expr is a compiled expression.
type Expr struct {
	source  string
	want    Want
	program cel.Program
}

// String is the expression as it was written.
func (e *Expr) String() string { return e.source }

// environment is what all expressions share.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.OptionalTypes(), ext.Strings(ext.StringsVersion(4)), cel.ParserExpressionSizeLimit(maxSource),
		cel.Function("id", cel.Overload("id_string", []*cel.Type{cel.StringType}, cel.IntType, cel.UnaryBinding(idOf))),
	}
	for _, f := range Fields {
		opts = append(opts, cel.VariableWithDoc(f.Name, f.celType, f.Doc))
	}
	return cel.NewEnv(opts...)
})

// idOf is the number of an opaque guild, channel or user id.
func idOf(v ref.Val) ref.Val {
	text, ok := v.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	if n, ok := schemas.ParseDecimal([]byte(text)); ok {
		return types.Int(n)
	}
	return types.Int(schemas.OpaqueNumber(schemas.HashRef(string(text))))
}

// Compile checks the types of an expression and makes it ready.
func Compile(source string, want Want) (*Expr, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	checked, issues := env.CompileSource(common.NewStringSource(source, "expression"))
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("%s", plainIssues(issues))
	}
	if err := want.check(checked.OutputType()); err != nil {
		return nil, err
	}
	if overLiteral(checked) {
		return nil, fmt.Errorf("it goes over the members of a map that is written here, which have no order: write a list of their names")
	}
	if est, err := env.EstimateCost(checked, sizes{}); err == nil && est.Min > CostLimit {
		return nil, fmt.Errorf("it costs at least %d, more than the %d that one event may cost", est.Min, CostLimit)
	}
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if !bounded(env, checked) { // counting costs more than most expressions do
		opts = append(opts, cel.CostLimit(CostLimit))
	}
	program, err := env.Program(checked, opts...)
	if err != nil { // a pattern that is none, among others: constants are worked out here
		return nil, err
	}
	return &Expr{source: source, want: want, program: program}, nil
}

// overLiteral finds a loop over a map that is written in the expression: its order would be another each time.
func overLiteral(a *cel.Ast) bool {
	loops := ast.MatchDescendants(ast.NavigateAST(a.NativeRep()), ast.KindMatcher(ast.ComprehensionKind))
	return slices.ContainsFunc(loops, func(e ast.NavigableExpr) bool { return e.AsComprehension().IterRange().Kind() == ast.MapKind })
}

// bounded says that no event can make the expression cost more than it may.
func bounded(env *cel.Env, a *cel.Ast) bool {
	est, err := env.EstimateCost(a, sizes{known: true})
	return err == nil && est.Max <= CostLimit
}

// plainIssues are the mistakes with the place of each, without the prefix that every one of them has.
func plainIssues(issues *cel.Issues) string {
	return strings.ReplaceAll(issues.String(), "ERROR: expression:", "")
}

func (w Want) check(t *cel.Type) error {
	switch {
	case t.IsExactType(cel.DynType):
		return nil
	case w == Condition && !t.IsExactType(cel.BoolType):
		return fmt.Errorf("it is of type %s, and a condition is true or false (bool)", t)
	case w == Text && !t.IsExactType(cel.StringType):
		return fmt.Errorf("it is of type %s, and a text is wanted: string(…) makes one", t)
	case w == Value && t.IsExactType(cel.BytesType):
		return fmt.Errorf("it is of type bytes, for which JSON has no form: string(…) makes a text")
	}
	return nil
}

// sizes says how long texts may be.
type sizes struct {
	known bool // only of what an event has: a text that was put together may be longer
}

func (s sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if s.known && len(node.Path()) == 0 {
		return nil
	}
	return &cost.SizeEstimate{Min: 0, Max: schemas.MaxEventBytes}
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// Bool evaluates a condition.
func (e *Expr) Bool(r *Row) (bool, error) {
	v, err := e.eval(r)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, e.mistyped(v, "true or false")
	}
	return bool(b), nil
}

// Text evaluates a text.
func (e *Expr) Text(r *Row) (string, error) {
	v, err := e.eval(r)
	if err != nil {
		return "", err
	}
	s, ok := v.(types.String)
	if !ok {
		return "", e.mistyped(v, "a text")
	}
	return string(s), nil
}

// JSON evaluates a value and appends its form in JSON.
func (e *Expr) JSON(dst []byte, r *Row) ([]byte, error) {
	v, err := e.eval(r)
	if err != nil {
		return dst, err
	}
	out, err := appendJSON(dst, v)
	if err != nil {
		return dst, schemas.Refusef("expression", "%s: %v", e.source, err)
	}
	return out, nil
}

func (e *Expr) eval(r *Row) (ref.Val, error) {
	v, _, err := e.program.Eval(r)
	if err != nil {
		return nil, schemas.Refusef("expression", "%s: %v", e.source, err)
	}
	return v, nil
}

func (e *Expr) mistyped(v ref.Val, want string) error {
	return schemas.Refusef("expression", "%s: is of type %s, and %s is wanted", e.source, v.Type().TypeName(), want)
}
