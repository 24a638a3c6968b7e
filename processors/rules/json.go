package rules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/coldstream/coldstream/schemas/codec"
)

// appendJSON appends a value of CEL as JSON. The members of an object are in the order of their names, so that the same
// value always has the same bytes.
func appendJSON(dst []byte, v ref.Val) ([]byte, error) {
	switch v := v.(type) {
	case types.Null:
		return append(dst, "null"...), nil
	case types.Bool:
		return strconv.AppendBool(dst, bool(v)), nil
	case types.Int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case types.Uint:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case types.Double:
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return dst, fmt.Errorf("JSON has no form for %v", f)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64), nil
	case types.String:
		return codec.AppendString(dst, string(v)), nil
	case types.Timestamp:
		return codec.AppendString(dst, v.UTC().Format(time.RFC3339Nano)), nil
	case types.Duration:
		return codec.AppendString(dst, v.String()), nil
	case traits.Mapper:
		return appendObject(dst, v)
	case traits.Lister:
		return appendArray(dst, v)
	}
	return dst, fmt.Errorf("JSON has no form for a value of type %s", v.Type().TypeName())
}

func appendArray(dst []byte, l traits.Lister) (_ []byte, err error) {
	dst = append(dst, '[')
	for it, first := l.Iterator(), true; it.HasNext() == types.True; first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, it.Next()); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, m traits.Mapper) (_ []byte, err error) {
	var names []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		name, ok := it.Next().(types.String)
		if !ok {
			return dst, fmt.Errorf("the names of a JSON object are texts")
		}
		names = append(names, string(name))
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(codec.AppendString(dst, name), ':')
		if dst, err = appendJSON(dst, m.Get(types.String(name))); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
