package clickhouse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLayouts(t *testing.T) {
	for name, want := range map[string]layout{
		"UInt8":                            {width: 1},
		"DateTime64(6, 'UTC')":             {width: 8},
		"Enum8('a, (' = 1, 'b' = 2)":       {width: 1},
		"FixedString(5)":                   {width: 5},
		"Decimal(18, 4)":                   {width: 8},
		"Nullable(String)":                 {kind: layoutNullable, parts: []layout{{kind: layoutString}}},
		"Array(Array(Int8))":               {kind: layoutArray, parts: []layout{{kind: layoutArray, parts: []layout{{width: 1}}}}},
		"Tuple(a UInt8, `b c` String)":     {kind: layoutTuple, parts: []layout{{width: 1}, {kind: layoutString}}},
		"Map(String, UInt16)":              {kind: layoutArray, parts: []layout{{kind: layoutTuple, parts: []layout{{kind: layoutString}, {width: 2}}}}},
		"LowCardinality(Nullable(String))": {kind: layoutDictionary, parts: []layout{{kind: layoutString}}},
		"SimpleAggregateFunction(max, Tuple(UInt8, Int64))": {kind: layoutTuple, parts: []layout{{width: 1}, {width: 8}}},
		"Polygon": {kind: layoutArray, parts: []layout{{kind: layoutArray, parts: []layout{{width: 16}}}}},
	} {
		got, err := parseLayout(name)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"JSON", "Dynamic", "Variant(UInt8, String)", "AggregateFunction(sum, UInt8)", "Array(JSON)"} {
		_, err := parseLayout(name)
		require.ErrorIs(t, err, errNativeType, name)
	}
}

// TestReviseNative compares with bytes that ClickHouse's own format has by its documentation.
func TestReviseNative(t *testing.T) {
	block := "\x02\x02\x01a\x05UInt8\x07\x08\x01b\x06String\x01x\x00"
	for revision, want := range map[uint64]string{
		54405: "\x01\x00\x02\xff\xff\xff\xff\x00" + block,
		54460: "\x01\x00\x02\xff\xff\xff\xff\x00" + "\x02\x02\x01a\x05UInt8\x00\x07\x08\x01b\x06String\x00\x01x\x00",
		54490: "\x01\x00\x02\xff\xff\xff\xff\x03\x00\x00" + "\x02\x02\x01a\x05UInt8\x00\x07\x08\x01b\x06String\x00\x01x\x00",
	} {
		got, err := reviseNative(nil, []byte(block+block), revision)
		require.NoError(t, err)
		require.Equal(t, want+want, string(got), revision)
	}
	for cut := 1; cut < len(block); cut++ {
		_, err := reviseNative(nil, []byte(block[:cut]), 54460)
		require.Error(t, err, "cut at %d", cut)
	}
	_, err := reviseNative(nil, []byte("\x01\xff\xff\xff\xff\xff\x01\x01a\x05UInt8"), 54460)
	require.Error(t, err)
}
