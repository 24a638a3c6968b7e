package clickhouse_test

import (
	"bytes"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"github.com/stretchr/testify/require"
)

// TestNativeRevision reads every type with clickhouse-go's decoder, plain and at a revision, and compares.
func TestNativeRevision(t *testing.T) {
	for _, value := range []string{
		"number", "toString(number)", "toFixedString('abc', 5)", "toDate('2023-01-01') + number", "toDateTime64(number, 6, 'UTC')",
		"if(number % 3 = 0, NULL, number)", "[number, number + 1]", "range(number % 5)", "[[toString(number)], []]", "(number, 'x', [1])",
		"CAST((number, 'x'), 'Tuple(a UInt64, b String)')", "map('k', number, 'l', 2)", "toLowCardinality(toString(number % 7))",
		"toLowCardinality(if(number % 3 = 0, NULL, toString(number)))", "[toLowCardinality(toString(number % 3))]", "range(number % 2) :: Array(LowCardinality(String))",
		"toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", "toIPv4('127.0.0.1')", "toIPv6('::1')", "toDecimal64(number, 3)", "toInt256(number)",
		"CAST('a', 'Enum8(\\'a\\' = 1, \\'b, (\\' = 2)')", "number > 5", "toIntervalDay(number)", "CAST((1, 2), 'Point')", "[[(1., 2.)]] :: Polygon",
		"map('a', [toLowCardinality('x')])", "arrayMap(x -> (x, toString(x)), range(number % 4))", "tuple(number)", "[]", "NULL",
	} {
		sql := "SELECT " + value + " AS v, number AS n FROM numbers(100)"
		plain := must(t, shared, sql, "default_format", "Native")
		for _, revision := range []string{"54405", "54460"} {
			revised := must(t, shared, sql, "default_format", "Native", "client_protocol_version", revision)
			number := map[string]uint64{"54405": 54405, "54460": 54460}[revision]
			require.Greater(t, len(revised), len(plain), value)
			require.Equal(t, decode(t, plain, 0), decode(t, revised, number), "%s at %s", value, revision)
		}
	}
}

// decode reads blocks and writes them anew for revision 0, so that two readings can be compared.
func decode(t *testing.T, data string, revision uint64) string {
	t.Helper()
	r := chproto.NewReader(bytes.NewReader([]byte(data)))
	var out chproto.Buffer
	block := proto.Block{ServerContext: &column.ServerContext{Timezone: time.UTC}}
	require.NoError(t, block.Decode(r, revision))
	require.NoError(t, block.Encode(&out, 0))
	return string(out.Buf)
}
