package rules

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/coldstream/coldstream/schemas/codec"
)

// object is an object of JSON as a map of CEL. It is read once, at the first look at it, and of its members only those
// that an expression asks for become values. Of members of one name the last counts, whole numbers are ints, others
// doubles, and members come in the order of their names, so that an expression gives the same each time. A document that
// is no object has no members.
//
// An object lies over the bytes of a batch: it is good for as long as they are.
type object struct {
	doc     []byte
	read    bool
	members []member
	sorted  bool // by name, and each name once
}

type member struct {
	name  string
	value codec.Value
	val   ref.Val // once it was asked for
}

// view is a text over bytes that nobody changes while it is used.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// textOf is the text of a JSON string.
func textOf(v codec.Value) string {
	if v.Plain() {
		return view(v.Raw())
	}
	return string(v.AppendText(nil))
}

// reset points at another document, and keeps the memory.
func (o *object) reset(doc []byte) {
	clear(o.members)
	*o = object{doc: doc, members: o.members[:0]}
}

func (o *object) load() {
	if o.read {
		return
	}
	if o.read = true; len(o.doc) == 0 {
		return
	}
	if !o.walk() {
		o.doc = lenient(o.doc)
		o.walk()
	}
}

// walk reads the members; it reports false where the document is no object, and has none then.
func (o *object) walk() bool {
	o.members = o.members[:0]
	w := codec.WalkOver(o.doc)
	for w.Next() {
		o.members = append(o.members, member{name: textOf(w.Name()), value: w.Value()})
	}
	if w.Err() != nil || !w.Object() {
		o.members = o.members[:0]
		return false
	}
	return true
}

// lenient is the first value of what the strict reader refuses. The codec lets no such document through; a processor of
// the user's may make one.
func lenient(doc []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber() // ids do not fit into a double
	var m map[string]any
	if d.Decode(&m) != nil {
		return nil
	}
	out, _ := json.Marshal(m) // it was JSON a moment ago
	return out
}

func numberOf(s string) ref.Val {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int(n)
	}
	f, _ := strconv.ParseFloat(s, 64) // what is too large is infinite
	return types.Double(f)
}

func (m *member) get() ref.Val {
	if m.val == nil {
		m.val = valueOf(m.value)
	}
	return m.val
}

func valueOf(v codec.Value) ref.Val {
	switch v.Kind() {
	case codec.String:
		return types.String(textOf(v))
	case codec.Number:
		return numberOf(view(v.Raw()))
	case codec.Boolean:
		return types.Bool(v.Raw()[0] == 't')
	case codec.Object:
		return &object{doc: v.Raw()}
	case codec.Array:
		var list []ref.Val
		for w := codec.WalkOver(v.Raw()); w.Next(); {
			list = append(list, valueOf(w.Value()))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, list)
	default:
		return types.NullValue
	}
}

// names puts the members into the order of their names, of one name the last.
func (o *object) names() []member {
	o.load()
	if !o.sorted {
		slices.SortStableFunc(o.members, func(a, b member) int { return strings.Compare(a.name, b.name) })
		kept := o.members[:0]
		for i, m := range o.members {
			if i+1 == len(o.members) || o.members[i+1].name != m.name {
				kept = append(kept, m)
			}
		}
		o.members, o.sorted = kept, true
	}
	return o.members
}

// Find is part of CEL's Mapper.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	o.load()
	for i := len(o.members) - 1; i >= 0; i-- {
		if o.members[i].name == string(name) {
			return o.members[i].get(), true
		}
	}
	return nil, false
}

// Get is part of CEL's Mapper.
func (o *object) Get(key ref.Val) ref.Val {
	v, ok := o.Find(key)
	if !ok {
		return types.ValOrErr(v, "no such key: %v", key)
	}
	return v
}

// Contains is part of CEL's Mapper.
func (o *object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

// Size is part of CEL's Mapper.
func (o *object) Size() ref.Val { return types.Int(len(o.names())) }

// IsZeroValue is part of CEL's Zeroer.
func (o *object) IsZeroValue() bool { return len(o.names()) == 0 }

// Iterator is part of CEL's Mapper.
func (o *object) Iterator() traits.Iterator {
	names := make([]string, len(o.names()))
	for i, m := range o.members {
		names[i] = m.name
	}
	return types.NewStringList(types.DefaultTypeAdapter, names).Iterator()
}

// Equal is part of CEL's Val.
func (o *object) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	for i := range o.names() {
		v, ok := m.Find(types.String(o.members[i].name))
		if !ok || types.Equal(o.members[i].get(), v) == types.False {
			return types.False
		}
	}
	return types.True
}

// Type is part of CEL's Val.
func (o *object) Type() ref.Type { return types.MapType }

// ConvertToType is part of CEL's Val.
func (o *object) ConvertToType(t ref.Type) ref.Val { return o.copy().ConvertToType(t) }

// ConvertToNative is part of CEL's Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) { return o.copy().ConvertToNative(t) }

// Value is part of CEL's Val.
func (o *object) Value() any { return o.copy().Value() }

// copy is the object as CEL's own map.
func (o *object) copy() traits.Mapper {
	m := make(map[ref.Val]ref.Val, len(o.names()))
	for i := range o.members {
		m[types.String(o.members[i].name)] = o.members[i].get()
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}
