package processors

import (
	"fmt"

	"github.com/coldstream/coldstream/processors/jsonpath"
	"github.com/coldstream/coldstream/processors/redact"
	"github.com/coldstream/coldstream/schemas"
)

// fields are what a policy redacts beside the content: columns of names, and paths into extra.
type fields struct {
	names []nameField
	paths jsonpath.Paths
	rules []fieldRule // by path
}

type nameField struct {
	column func(b *schemas.Batch) []schemas.Text
	rule   fieldRule
}

// fieldRule is what becomes of a value: scanned, or replaced as a whole, by the key's number.
type fieldRule struct {
	whole []*redact.Whole // nil: scanned
}

var nameColumns = map[string]func(b *schemas.Batch) []schemas.Text{
	"user_name":    func(b *schemas.Batch) []schemas.Text { return b.UserName },
	"channel_name": func(b *schemas.Batch) []schemas.Text { return b.ChannelName },
	"guild_name":   func(b *schemas.Batch) []schemas.Text { return b.GuildName },
}

func (f *fields) any() bool { return len(f.names)+len(f.rules) > 0 }

func newFields(file *redact.File) (fields, error) {
	var f fields
	keys := file.Keys
	if len(keys) == 0 {
		keys = []redact.Key{file.Key}
	}
	for _, field := range file.Fields {
		var rule fieldRule
		if !field.Scan {
			for _, k := range keys {
				w, err := redact.NewWhole(field.Action, k)
				if err != nil {
					return f, fmt.Errorf("field %s: %w", field.Name, err)
				}
				rule.whole = append(rule.whole, w)
			}
		}
		if column, ok := nameColumns[field.Name]; ok {
			f.names = append(f.names, nameField{column, rule})
			continue
		}
		if err := f.paths.Add(field.Name); err != nil {
			return f, fmt.Errorf("field %s: user_name, channel_name, guild_name, or a path into the other fields of an event: %w", field.Name, err)
		}
		f.rules = append(f.rules, rule)
	}
	return f, nil
}

// fieldRow is the row whose fields are redacted just now.
type fieldRow struct {
	engine  *redact.Engine
	key     int
	found   int
	changed bool // a path's value
	drop    bool
	visit   func(dst []byte, path int, text []byte) ([]byte, bool) // made once
}

// others redacts the fields of a row that the policy names.
func (r *Redact) others(b *schemas.Batch, i int, engine *redact.Engine) {
	if r.at.visit == nil {
		r.at.visit = func(dst []byte, path int, text []byte) ([]byte, bool) {
			out, changed := r.replace(dst, &r.fields.rules[path], text)
			r.at.changed = r.at.changed || changed
			return out, changed
		}
	}
	r.at = fieldRow{engine: engine, key: r.policies.key(b, i), visit: r.at.visit}
	for at := range r.fields.names {
		f := &r.fields.names[at]
		column := f.column(b)
		if column[i].Len == 0 {
			continue
		}
		var changed bool
		if r.text, changed = r.replace(r.text[:0], &f.rule, b.Bytes(column[i])); changed {
			column[i] = b.AddText(r.text)
		}
	}
	if extra := b.Bytes(b.Extra[i]); len(extra) > 0 && len(r.fields.rules) > 0 {
		r.text = r.fields.paths.Replace(r.text[:0], extra, r.at.visit)
		if r.at.changed {
			b.Extra[i] = b.AddText(r.text)
		}
	}
	b.Redactions[i] += int32(r.at.found)
	if r.at.drop {
		b.Drop(i)
	}
}

// replace appends what stands for a value of the row, and says whether it differs.
func (r *Redact) replace(dst []byte, rule *fieldRule, text []byte) ([]byte, bool) {
	out, n, drop := r.value(dst, rule, text, r.at.engine, r.at.key)
	r.at.found += n
	r.at.drop = r.at.drop || drop
	// What is only counted stays as it was written: a number is still one.
	return out, n > 0 && string(out[len(dst):]) != string(text)
}

// value appends what stands for one value; n is how many values in it were found.
func (r *Redact) value(dst []byte, rule *fieldRule, text []byte, engine *redact.Engine, key int) (_ []byte, n int, drop bool) {
	if len(text) == 0 {
		return dst, 0, false
	}
	if rule.whole != nil {
		w := rule.whole[key]
		out, changed := w.Replace(dst, text)
		switch {
		case w.Action() == redact.Keep:
			return out, 1, false
		case changed:
			return out, 1, w.Action() == redact.Drop
		}
		return out, 0, false
	}
	if r.spans = engine.Find(r.spans[:0], text); len(r.spans) == 0 {
		return dst, 0, false
	}
	r.count(engine)
	return engine.Redact(dst, text, r.spans), len(r.spans), engine.Drops(r.spans)
}
