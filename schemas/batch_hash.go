package schemas

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// Sum is a hash of a set of rows in which their order does not matter: the 128-bit sum of the rows' hashes. A row that
// stands twice counts twice. Two sets with equal sums and counts are equal, but for accidents of 128-bit hashes.
type Sum struct{ Hi, Lo uint64 }

// Add counts what o counts.
func (s *Sum) Add(o Sum) {
	var carry uint64
	s.Lo, carry = bits.Add64(s.Lo, o.Lo, 0)
	s.Hi, _ = bits.Add64(s.Hi, o.Hi, carry)
}

// Sub takes out what o counts.
func (s *Sum) Sub(o Sum) {
	var borrow uint64
	s.Lo, borrow = bits.Sub64(s.Lo, o.Lo, 0)
	s.Hi, _ = bits.Sub64(s.Hi, o.Hi, borrow)
}

// RowHasher hashes rows: everything that the lake keeps of an event. It reuses its memory and belongs to one goroutine.
type RowHasher struct{ buf []byte }

// Row is the hash of row i, as a sum of one.
func (h *RowHasher) Row(b *Batch, i int) Sum {
	p := h.buf[:0]
	p = binary.LittleEndian.AppendUint16(p, uint16(b.Fields[i]&^FieldResolves)) // FieldResolves follows from Extra
	for _, n := range [...]int64{
		b.EventID[i], b.GuildID[i], b.ChannelID[i], b.MessageID[i], b.UserID[i], b.Time[i], b.Offset[i], b.KafkaTime[i],
	} {
		p = binary.LittleEndian.AppendUint64(p, uint64(n))
	}
	for _, n := range [...]int32{b.Redactions[i], b.Source[i], b.Partition[i]} {
		p = binary.LittleEndian.AppendUint32(p, uint32(n))
	}
	for _, t := range [...]Text{
		b.TypeName[i], b.Content[i], b.Extra[i], b.EventRef[i], b.MessageRef[i], b.ChannelRef[i], b.GuildRef[i], b.UserRef[i],
		b.GuildName[i], b.ChannelName[i], b.UserName[i],
	} {
		p = binary.LittleEndian.AppendUint32(p, t.Len)
		p = append(p, b.Bytes(t)...)
	}
	h.buf = p
	x := xxh3.Hash128(p)
	return Sum{Hi: x.Hi, Lo: x.Lo}
}
