package parquet

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const magic = "PAR1"

// footer appends the indexes and the footer.
func (w *Writer) footer(windows string) error {
	if err := w.indexes(); err != nil {
		return fmt.Errorf("write page index: %w", err)
	}
	meta := format.FileMetaData{
		Version: 2, Schema: schemaElements, NumRows: w.rows, RowGroups: w.groups,
		CreatedBy: "coldstream version " + formatVersion + "(build chunk)",
		KeyValueMetadata: []format.KeyValue{
			{Key: keyVersion, Value: formatVersion},
			{Key: keyCheckpoint, Value: w.from.Checkpoint},
			{Key: keyWorker, Value: w.from.Worker},
			{Key: keyPolicy, Value: strconv.FormatInt(w.from.Policy, 10)},
			{Key: keyEpoch, Value: strconv.FormatInt(int64(w.from.Epoch), 10)},
			{Key: keyWindows, Value: windows},
		},
		ColumnOrders: columnOrders,
	}
	if len(w.from.Sources) > 0 {
		sources, err := json.Marshal(w.from.Sources)
		if err != nil {
			return fmt.Errorf("write footer: %w", err)
		}
		meta.KeyValueMetadata = append(meta.KeyValueMetadata, format.KeyValue{Key: keySources, Value: string(sources)})
	}
	doc, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	w.out = append(w.out, doc...)
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(len(doc)))
	w.out = append(w.out, magic...)
	return nil
}

// schemaElements are the columns as the footer tells them, behind their root.
var schemaElements = func() []format.SchemaElement {
	all := []format.SchemaElement{{Name: "events", NumChildren: thrift.New(int32(len(columns)))}}
	for i := range columns {
		c := &columns[i]
		e := format.SchemaElement{
			Name: c.name, Type: thrift.New(c.physical()), FieldID: int32(c.id), RepetitionType: thrift.New(format.Optional),
		}
		if c.required {
			e.RepetitionType = thrift.New(format.Required)
		}
		switch c.kind {
		case kindText:
			e.ConvertedType = thrift.New(deprecated.UTF8)
			e.LogicalType = format.LogicalType{Value: &format.StringType{}}
		case kindTime:
			e.ConvertedType = thrift.New(deprecated.TimestampMicros)
			e.LogicalType = format.LogicalType{Value: &format.TimestampType{
				IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}},
			}}
		}
		all = append(all, e)
	}
	return all
}()

var columnOrders = func() []format.ColumnOrder {
	all := make([]format.ColumnOrder, len(columns))
	for i := range all {
		all[i].Value = &format.TypeDefinedOrder{}
	}
	return all
}()

// writeBloom appends a filter behind its header.
func (w *Writer) writeBloom(f bloom.SplitBlockFilter) error {
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &format.BloomFilterHeader{
		NumBytes:    int32(len(f.Bytes())),
		Algorithm:   format.BloomFilterAlgorithm{Value: &format.SplitBlockAlgorithm{}},
		Hash:        format.BloomFilterHash{Value: &format.XxHash{}},
		Compression: format.BloomFilterCompression{Value: &format.BloomFilterUncompressed{}},
	})
	if err != nil {
		return fmt.Errorf("bloom filter: %w", err)
	}
	w.out = append(w.out, header...)
	w.out = append(w.out, f.Bytes()...)
	return nil
}
