package readers_test

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/lake"
)

// answer is what a reader found: of one snapshot, and of the newest one's rows.
type answer struct {
	Version  string
	Seconds  float64
	Rows     int64
	EventIDs string `json:"event_ids"` // their sum
	Offsets  string // their sum
	Columns  []string
	Digest   string // of the content, independent of order: see testdata/read.py
	Head     int64
}

// want reads a version as the format says, file by file, with nothing of Iceberg.
func (w *world) want(t *testing.T, v *lake.Version) answer {
	t.Helper()
	files, err := v.Files(t.Context(), lake.Filter{})
	require.NoError(t, err)
	a := answer{Version: "this repository"}
	for _, f := range lake.EventsSchema().Fields() {
		a.Columns = append(a.Columns, f.Name)
	}
	ids, offsets, digest := new(big.Int), new(big.Int), uint64(0)
	for _, f := range files {
		body, _, err := w.table.Store().Get(t.Context(), w.table.Key(f.Path))
		require.NoError(t, err)
		file, err := pq.OpenFile(bytes.NewReader(body), int64(len(body)))
		require.NoError(t, err)
		for _, group := range file.RowGroups() {
			eachRow(t, group, a.Columns, func(cells []string) {
				a.Rows++
				sum := md5.Sum(bytes.Join(toBytes(cells), []byte{0x1f}))
				digest += binary.LittleEndian.Uint64(sum[:])
				ids.Add(ids, number(cells[lake.FieldEventID-1]))
				offsets.Add(offsets, number(cells[lake.FieldKafkaOffset-1]))
			})
		}
	}
	a.EventIDs, a.Offsets, a.Digest = ids.String(), offsets.String(), fmt.Sprintf("%016x", digest)
	return a
}

func eachRow(t *testing.T, group pq.RowGroup, columns []string, take func(cells []string)) {
	t.Helper()
	place := map[int]int{}
	for i, name := range columns {
		leaf, ok := group.Schema().Lookup(name)
		require.True(t, ok, name)
		place[leaf.ColumnIndex] = i
	}
	rows := group.Rows()
	defer rows.Close()
	buf, cells := make([]pq.Row, 128), make([]string, len(columns))
	for {
		n, err := rows.ReadRows(buf)
		for _, row := range buf[:n] {
			for _, v := range row {
				cells[place[v.Column()]] = cell(v)
			}
			take(cells)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func cell(v pq.Value) string {
	switch {
	case v.IsNull():
		return "\x00"
	case v.Kind() == pq.ByteArray:
		return string(v.ByteArray())
	case v.Kind() == pq.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10)
	}
	return strconv.FormatInt(v.Int64(), 10)
}

func toBytes(cells []string) [][]byte {
	out := make([][]byte, len(cells))
	for i, c := range cells {
		out[i] = []byte(c)
	}
	return out
}

func number(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}
