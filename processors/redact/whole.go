package redact

import "errors"

// fieldType is what marks call a value that a policy's field names.
const fieldType = "field"

// Whole replaces whole values, of fields that a policy names. It is safe for
// concurrent use.
type Whole struct {
	engine Engine
}

// NewWhole makes a Whole; key is needed for Hash alone.
func NewWhole(a Action, key Key) (*Whole, error) {
	if a >= actionCount {
		return nil, errors.New("redact: no such action")
	}
	if a == Hash {
		if err := key.validate(); err != nil {
			return nil, err
		}
	}
	// A type of its own, after all others: its values have no form to be equal in
	// but the one that they are written in.
	names := append(append([]string{}, typeNames[:]...), fieldType)
	actions := make([]Action, len(names))
	actions[typeCount] = a
	marks := make([]string, len(names))
	marks[typeCount] = markOpen + fieldType + "]"
	return &Whole{Engine{names: names, actions: actions, marks: marks, key: key}}, nil
}

// Action is what becomes of a value.
func (w *Whole) Action() Action { return w.engine.actions[typeCount] }

// Replace appends what stands in place of a value, and says whether it differs.
// What an earlier pass left stays.
func (w *Whole) Replace(dst, value []byte) ([]byte, bool) {
	if a := w.Action(); a == Keep || markLen(value) == len(value) {
		return append(dst, value...), false
	}
	return w.engine.replace(dst, value, typeCount), true
}
