package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
)

// layout is how a type's values lie in a Native block.
type layout struct {
	kind  layoutKind
	width int // of a fixed value, in bytes
	parts []layout
}

type layoutKind byte

const (
	layoutFixed layoutKind = iota
	layoutString
	layoutNullable
	layoutArray
	layoutTuple
	layoutDictionary // LowCardinality
)

// prefix is how many bytes stand before the first value: a version for each LowCardinality.
func (l layout) prefix() (n int) {
	if l.kind == layoutDictionary {
		return 8
	}
	for _, part := range l.parts {
		n += part.prefix()
	}
	return n
}

var fixedWidths = map[string]int{
	"UInt8": 1, "Int8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1, "UInt16": 2, "Int16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
	"UInt32": 4, "Int32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4,
	"UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8,
	"UInt128": 16, "Int128": 16, "UUID": 16, "IPv6": 16, "Point": 16, "UInt256": 32, "Int256": 32,
}

// Geometric types are arrays of points, so deep.
var arrayDepths = map[string]int{"Ring": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}

// parseLayout reads a type's name; errNativeType if its layout is not known here.
func parseLayout(name string) (layout, error) {
	base, args := splitType(name)
	if width := fixedWidths[base]; width > 0 {
		return layout{width: width}, nil
	}
	if depth := arrayDepths[base]; depth > 0 {
		l := layout{width: 16}
		for range depth {
			l = layout{kind: layoutArray, parts: []layout{l}}
		}
		return l, nil
	}
	switch {
	case base == "String":
		return layout{kind: layoutString}, nil
	case strings.HasPrefix(base, "Interval"):
		return layout{width: 8}, nil
	case base == "FixedString" && len(args) == 1:
		width, err := strconv.Atoi(args[0])
		return layout{width: width}, err
	case base == "Decimal" && len(args) == 2:
		return decimalLayout(args[0])
	case base == "Map" && len(args) == 2:
		pair, err := nestedLayout(layoutTuple, args)
		return layout{kind: layoutArray, parts: []layout{pair}}, err
	case base == "Array" && len(args) == 1:
		return nestedLayout(layoutArray, args)
	case base == "Nullable" && len(args) == 1:
		return nestedLayout(layoutNullable, args)
	case base == "LowCardinality" && len(args) == 1:
		// The dictionary holds plain values; NULL is one of its places.
		inner, innerArgs := splitType(args[0])
		if inner == "Nullable" {
			args = innerArgs
		}
		return nestedLayout(layoutDictionary, args)
	case base == "Tuple" && len(args) > 0:
		return nestedLayout(layoutTuple, args)
	case base == "SimpleAggregateFunction" && len(args) == 2:
		return parseLayout(args[1])
	}
	return layout{}, fmt.Errorf("%s: %w", name, errNativeType)
}

func nestedLayout(kind layoutKind, types []string) (layout, error) {
	l := layout{kind: kind}
	for _, name := range types {
		part, err := parseLayout(elementType(name))
		if err != nil {
			return layout{}, err
		}
		l.parts = append(l.parts, part)
	}
	return l, nil
}

func decimalLayout(precision string) (layout, error) {
	digits, err := strconv.Atoi(precision)
	for _, step := range [][2]int{{9, 4}, {18, 8}, {38, 16}, {76, 32}} {
		if digits <= step[0] {
			return layout{width: step[1]}, err
		}
	}
	return layout{}, fmt.Errorf("a Decimal of %s digits: %w", precision, errNativeType)
}

// elementType is the type of a Tuple's element, which may have a name before it.
func elementType(text string) string {
	if parts := splitTop(text, ' '); len(parts) == 2 {
		return parts[1]
	}
	return text
}

// splitType cuts "Map(String, UInt8)" into "Map" and its arguments.
func splitType(name string) (base string, args []string) {
	open := strings.IndexByte(name, '(')
	if open < 0 || !strings.HasSuffix(name, ")") {
		return name, nil
	}
	return name[:open], splitTop(name[open+1:len(name)-1], ',')
}

// splitTop cuts text at a sign that stands outside all brackets and quotes; for a blank, at the first only.
func splitTop(text string, sign byte) (parts []string) {
	l, begin := lexer{sql: text}, 0
	for l.pos < len(text) {
		at := l.pos
		if l.depth == 0 && text[at] == sign {
			parts = append(parts, strings.TrimSpace(text[begin:at]))
			begin = at + 1
			if sign == ' ' {
				break
			}
		}
		l.scan()
		switch text[at] {
		case '(':
			l.depth++
		case ')':
			l.depth--
		}
	}
	return append(parts, strings.TrimSpace(text[begin:]))
}
