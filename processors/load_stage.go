package processors

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors/custom"
	"github.com/coldstream/coldstream/processors/rules"
	"github.com/coldstream/coldstream/schemas"
)

var (
	stageName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	extraName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// reader reads one stage; what its kind is shows when all keys are read.
type reader struct {
	*config.Strict
	plan  *stagePlan
	kinds []string
}

// stage reads one stage.
func (l *loader) stage(s *config.Strict, key string, n *yaml.Node) *stagePlan {
	r := &reader{Strict: s, plan: &stagePlan{}}
	before := len(s.Problems)
	var name, leave, with *yaml.Node
	s.Mapping(key, n,
		config.StrictField{Name: "name", Read: func(key string, v *yaml.Node) { name, r.plan.name = v, r.Text(key, v) }},
		config.StrictField{Name: "when", Read: func(key string, v *yaml.Node) { r.plan.when = r.expr(key, v, rules.Condition) }},
		config.StrictField{Name: "filter", Read: r.condition(kindFilter)},
		config.StrictField{Name: "drop", Read: r.condition(kindDrop)},
		config.StrictField{Name: "set", Read: r.set},
		config.StrictField{Name: "route", Read: r.route},
		config.StrictField{Name: "use", Read: r.use},
		config.StrictField{Name: "leave", Read: func(key string, v *yaml.Node) { leave, r.plan.leave = v, r.yes(key, v) }},
		config.StrictField{Name: "with", Read: func(_ string, v *yaml.Node) { with = v }},
		config.StrictField{Name: "on_error", Read: r.onError})
	if len(s.Problems) > before {
		return r.plan
	}
	switch {
	case name == nil:
		s.Problem(n, key, "name is missing: it stands in metrics and dead letters")
	case !stageName.MatchString(r.plan.name):
		s.Problem(name, key, "%q: 1 to 40 of a-z, 0-9, _ and -", r.plan.name)
	case len(r.kinds) != 1:
		s.Problem(n, key, "stage %s: exactly one of filter, drop, set, route, use is wanted, and it has %d", r.plan.name, len(r.kinds))
	case leave != nil && r.plan.kind != kindRoute:
		s.Problem(leave, key, "leave stands beside route only")
	case with != nil && r.plan.kind != kindUse:
		s.Problem(with, key, "with stands beside use only")
	case r.plan.kind == kindUse && (r.plan.when != nil || r.plan.skip):
		s.Problem(n, key, "stage %s: when and on_error do not stand beside use: the processor sees every event", r.plan.name)
	case r.plan.kind == kindUse:
		r.try(key, n, with)
	}
	return r.plan
}

func (r *reader) is(k kind) {
	r.kinds = append(r.kinds, k.String())
	r.plan.kind = k
}

func (r *reader) condition(k kind) func(string, *yaml.Node) {
	return func(key string, v *yaml.Node) {
		r.is(k)
		r.plan.cond = r.expr(key, v, rules.Condition)
	}
}

// expr compiles an expression; what is wrong with it is told with its place in it.
func (r *reader) expr(key string, v *yaml.Node, want rules.Want) *rules.Expr {
	source := v.Value
	if v.Kind != yaml.ScalarNode || strings.TrimSpace(source) == "" {
		r.Problem(v, key, "an expression is wanted here, such as event.user_id == 42")
		return nil
	}
	e, err := rules.Compile(source, want)
	if err != nil {
		r.Problem(v, key, "%s%s", err, hint(v, err))
	}
	return e
}

// hint says what YAML may have done to an expression.
func hint(v *yaml.Node, err error) string {
	if v.Style == 0 && strings.Contains(err.Error(), "Syntax error") && strings.ContainsAny(v.Value, `"'`) {
		return "\nYAML ends an unquoted text at # and at a colon with a space: put the expression into quotes, or after |"
	}
	return ""
}

func (r *reader) yes(key string, v *yaml.Node) bool {
	if v.Tag != "!!bool" {
		r.Problem(v, key, "%q: true or false", v.Value)
	}
	return v.Value == "true"
}

func (r *reader) onError(key string, v *yaml.Node) {
	switch v.Value {
	case "dead":
	case "skip":
		r.plan.skip = true
	default:
		r.Problem(v, key, "%q: dead makes a dead letter of an event for which an expression fails, skip lets it go on as it is", v.Value)
	}
}

func (r *reader) route(key string, v *yaml.Node) {
	r.is(kindRoute)
	r.plan.topic = r.Text(key, v)
	if r.plan.topic != "" && (!topicName.MatchString(r.plan.topic) || r.plan.topic == "." || r.plan.topic == "..") {
		r.Problem(v, key, "%q is no name of a topic: 1 to 249 of a-z, A-Z, 0-9, ., _ and -", v.Value)
	}
}

func (r *reader) use(key string, v *yaml.Node) {
	r.is(kindUse)
	name := r.Text(key, v)
	factory, names := custom.Lookup(name)
	if factory == nil && name != "" {
		have := "this program has none; docs/processors.md says how to build one with yours"
		if len(names) > 0 {
			have = "this program has " + strings.Join(names, ", ") + config.DidYouMean(name, names)
		}
		r.Problem(v, key, "there is no processor %q: %s", name, have)
	}
	r.plan.factory = factory
}

// try makes the processor once, so that mistakes in its options show here.
func (r *reader) try(key string, n, with *yaml.Node) {
	r.plan.with = custom.NewOptions(with)
	if r.plan.factory == nil {
		return
	}
	if _, err := newOwn(r.plan); err != nil {
		at := n
		if with != nil {
			at = with
		}
		r.Problem(at, key+".with", "stage %s: %v", r.plan.name, err)
	}
}

var textColumns = map[string]func(b *schemas.Batch) []schemas.Text{
	"content":      func(b *schemas.Batch) []schemas.Text { return b.Content },
	"user_name":    nameColumns["user_name"],
	"channel_name": nameColumns["channel_name"],
	"guild_name":   nameColumns["guild_name"],
}

// ownFields are names that an event's own fields have: extra holds all others.
var ownFields = []string{
	"event_id", "type", "guild_id", "channel_id", "message_id", "target_message_id", "user_id", "content", "timestamp",
	"guild_name", "channel_name", "user_name", "deleted", "resolves", "message_ids",
}

func (r *reader) set(key string, v *yaml.Node) {
	r.is(kindSet)
	if v.Kind != yaml.MappingNode || len(v.Content) == 0 {
		r.Problem(v, key, "a mapping is wanted here, such as {content: event.content.trim(), extra.lang: '\"de\"'}")
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name, e := v.Content[i], v.Content[i+1]
		a := assignment{name: name.Value, column: textColumns[name.Value]}
		want := rules.Text
		if a.column == nil {
			member, err := extraMember(name.Value)
			if err != nil {
				r.Problem(name, config.Join(key, name.Value), "%v", err)
				continue
			}
			a.name, want = member, rules.Value
		}
		if slices.ContainsFunc(r.plan.sets, func(o assignment) bool { return o.name == a.name && (o.column == nil) == (a.column == nil) }) {
			r.Problem(name, config.Join(key, name.Value), "stands twice")
		}
		a.expr = r.expr(config.Join(key, name.Value), e, want)
		r.plan.sets = append(r.plan.sets, a)
	}
}

func extraMember(target string) (string, error) {
	member, ok := strings.CutPrefix(target, "extra.")
	switch {
	case !ok:
		return "", fmt.Errorf("content, user_name, channel_name, guild_name and extra.NAME can be set; ids, times and types say what an event is")
	case !extraName.MatchString(member):
		return "", fmt.Errorf("extra.NAME sets one member of extra, its name of letters, digits, _ and -")
	case slices.Contains(ownFields, member):
		return "", fmt.Errorf("%s is a field of the event's own: extra holds all others", member)
	}
	return member, nil
}
