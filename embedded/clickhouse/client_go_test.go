package clickhouse_test

import (
	stdcontext "context"
	"errors"
	"fmt"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
)

// open connects clickhouse-go to the shared engine as the full user.
func open(t *testing.T, change func(*ch.Options)) ch.Conn {
	t.Helper()
	options := &ch.Options{
		Protocol: ch.HTTP, Addr: []string{shared.Addr()},
		Auth: ch.Auth{Database: "coldstream", Username: user, Password: password},
	}
	if change != nil {
		change(options)
	}
	conn, err := ch.Open(options)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestClickhouseGo(t *testing.T) {
	for _, method := range []ch.CompressionMethod{ch.CompressionNone, ch.CompressionLZ4, ch.CompressionZSTD, ch.CompressionGZIP, ch.CompressionBrotli, ch.CompressionDeflate} {
		t.Run(method.String(), func(t *testing.T) {
			conn := open(t, func(o *ch.Options) { o.Compression = &ch.Compression{Method: method, Level: 1} })
			ctx := t.Context()
			require.NoError(t, conn.Ping(ctx))
			table := "go_" + method.String()
			require.NoError(t, conn.Exec(ctx, "CREATE TABLE "+table+` (
				id Int64, text String, name LowCardinality(String), at DateTime64(6, 'UTC'), maybe Nullable(Int32), tags Array(String),
				both Tuple(UInt8, Int64, String), kv Map(String, UInt64)) ENGINE = MergeTree ORDER BY id`))
			batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
			require.NoError(t, err)
			at := time.Date(2023, 5, 10, 14, 30, 0, 123456000, time.UTC)
			for i := range 5000 {
				require.NoError(t, batch.Append(int64(i), fmt.Sprintf("a\x00b\t\n'%d", i), "ch", at, nil, []string{"x", ""}, []any{uint8(1), int64(i), "z"}, map[string]uint64{"k": uint64(i)}))
			}
			require.NoError(t, batch.Send())
			var (
				id   int64
				text string
				got  time.Time
				both []any
			)
			row := conn.QueryRow(ctx, "SELECT id, text, at, both FROM "+table+" WHERE id = {id:Int64}", ch.Named("id", "77"))
			require.NoError(t, row.Scan(&id, &text, &got, &both))
			require.Equal(t, "a\x00b\t\n'77", text)
			require.Equal(t, at, got)
			var n uint64
			require.NoError(t, conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&n))
			require.EqualValues(t, 5000, n)
			require.NoError(t, conn.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE id = ? SETTINGS mutations_sync = 1", 3))
			require.NoError(t, conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&n))
			require.EqualValues(t, 4999, n)
		})
	}
}

func TestClickhouseGoReadsManyBlocks(t *testing.T) {
	conn := open(t, func(o *ch.Options) { o.Compression = &ch.Compression{Method: ch.CompressionLZ4} })
	rows, err := conn.Query(t.Context(), "SELECT number, toString(number) FROM numbers(1000000)")
	require.NoError(t, err)
	defer rows.Close()
	var want, number uint64
	var text string
	for rows.Next() {
		require.NoError(t, rows.Scan(&number, &text))
		if number != want || text != fmt.Sprint(want) {
			t.Fatalf("row %d is %d %q", want, number, text)
		}
		want++
	}
	require.NoError(t, rows.Err())
	require.EqualValues(t, 1000000, want)
}

func TestClickhouseGoErrors(t *testing.T) {
	conn := open(t, nil)
	var e *ch.Exception
	require.ErrorAs(t, conn.Exec(t.Context(), "SELECT * FROM nowhere"), &e)
	require.EqualValues(t, 60, e.Code)

	wrong := open(t, func(o *ch.Options) { o.Auth.Password = "wrong" })
	require.ErrorContains(t, wrong.Ping(t.Context()), "516")

	rows, err := conn.Query(t.Context(), "SELECT throwIf(number = 3000000), toString(number) FROM numbers(4000000)")
	require.NoError(t, err, "the first blocks are there before the error")
	defer rows.Close()
	for rows.Next() {
	}
	require.ErrorContains(t, rows.Err(), "throwIf")
}

func TestClickhouseGoCancel(t *testing.T) {
	conn := open(t, nil)
	ctx, cancel := stdcontext.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	started := time.Now()
	err := conn.Exec(ctx, "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(cityHash64(number)) -- cancel me")
	require.True(t, errors.Is(err, stdcontext.DeadlineExceeded), "%v", err)
	require.Less(t, time.Since(started), 5*time.Second)
	require.Eventually(t, func() bool {
		return must(t, shared, "SELECT count() FROM system.processes WHERE query LIKE '%-- cancel'||' me%'") == "0\n"
	}, 10*time.Second, 50*time.Millisecond, "the engine goes on with a query that nobody waits for")
}
