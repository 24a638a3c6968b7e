package broker

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Where a record batch keeps what is read here.
const (
	lengthAt     = 8  // int32: bytes after it
	crcAt        = 17 // uint32, Castagnoli, of what follows it
	attributesAt = 21 // int16
	deltaAt      = 23 // int32: last offset less the first
	producerAt   = 43 // int64
	epochAt      = 51 // int16
	recordsAt    = 61
	batchPrefix  = 12 // base offset and length

	transactional = 0b0001_0000
	controlBatch  = 0b0010_0000
)

// producer is one transaction's owner: from transaction version 2 on, each transaction has an epoch of its own.
type producer struct {
	id    int64
	epoch int16
}

// batch is a record batch as it lies in a segment.
type batch []byte

func (b batch) first() int64    { return int64(binary.BigEndian.Uint64(b)) }
func (b batch) next() int64     { return b.first() + int64(binary.BigEndian.Uint32(b[deltaAt:])) + 1 }
func (b batch) attributes() int { return int(binary.BigEndian.Uint16(b[attributesAt:])) }
func (b batch) isControl() bool { return b.attributes()&controlBatch != 0 }
func (b batch) inTxn() bool     { return b.attributes()&(transactional|controlBatch) == transactional }

func (b batch) intact() bool {
	return crc32.Checksum(b[attributesAt:], castagnoli) == binary.BigEndian.Uint32(b[crcAt:])
}

func (b batch) producer() producer {
	return producer{int64(binary.BigEndian.Uint64(b[producerAt:])), int16(binary.BigEndian.Uint16(b[epochAt:]))}
}

// commits tells whether a control batch ends a transaction by a commit.
func (b batch) commits() bool {
	var record kmsg.Record
	if err := record.ReadFrom(b[recordsAt:]); err != nil {
		return false
	}
	var key kmsg.ControlRecordKey
	return key.ReadFrom(record.Key) == nil && key.Type == kmsg.ControlRecordKeyTypeCommit
}

// splitBatches cuts a segment into its batches, up to the first that is not whole and intact.
func splitBatches(segment []byte) (batches []batch, valid int) {
	for len(segment)-valid >= recordsAt {
		length := int(binary.BigEndian.Uint32(segment[valid+lengthAt:]))
		end := valid + batchPrefix + length
		if length < recordsAt-batchPrefix || end > len(segment) || !batch(segment[valid:end]).intact() {
			break
		}
		batches = append(batches, segment[valid:end:end])
		valid = end
	}
	return batches, valid
}

// endMarker encodes the control batch that ends a transaction at offset; of no producer, it only takes up the offset.
func endMarker(offset int64, of producer, commit bool) batch {
	key := kmsg.ControlRecordKey{Type: kmsg.ControlRecordKeyTypeAbort}
	if commit {
		key.Type = kmsg.ControlRecordKeyTypeCommit
	}
	value := kmsg.EndTxnMarker{}
	record := kmsg.Record{Key: key.AppendTo(nil), Value: value.AppendTo(nil)}
	record.Length = int32(len(record.AppendTo(nil)) - 1) // without the length itself, one byte of varint here
	now := time.Now().UnixMilli()
	encoded := kmsg.RecordBatch{
		FirstOffset: offset, PartitionLeaderEpoch: -1, Magic: 2, Attributes: transactional | controlBatch,
		FirstTimestamp: now, MaxTimestamp: now, ProducerID: of.id, ProducerEpoch: of.epoch, FirstSequence: -1,
		NumRecords: 1, Records: record.AppendTo(nil),
	}
	raw := encoded.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[lengthAt:], uint32(len(raw)-batchPrefix))
	binary.BigEndian.PutUint32(raw[crcAt:], crc32.Checksum(raw[attributesAt:], castagnoli))
	return raw
}

// indexOf makes kfake's index of batches: per batch a version, a byte of checksum, the leader epoch (4 bytes; always 0
// with one broker), the largest earlier timestamp (8, recomputed at load) and a flag for batches of a transaction.
func indexOf(batches []batch) []byte {
	var index []byte
	for _, b := range batches {
		entry := make([]byte, indexEntrySize)
		entry[0] = indexVersion
		if b.inTxn() {
			entry[indexEntrySize-1] = 1
		}
		entry[1] = byte(crc32.Checksum(entry[2:], castagnoli))
		index = append(index, entry...)
	}
	return index
}
