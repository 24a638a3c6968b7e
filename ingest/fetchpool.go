package ingest

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchPool lends the Kafka client the memory of a fetch, which comes back when its records were worked off: at half a
// million records a second the garbage would be hundreds of megabytes between two collections. It is a
// kgo.PoolDecompressBytes and a kgo.PoolRecords.
type fetchPool struct {
	bytes, records sync.Pool
}

// unfolds is about how many times larger a batch of events is than its compressed form.
const unfolds = 3

// maxPooled bounds what is kept in one piece: a rare batch of 64 MiB must not stay.
const maxPooled = 8 << 20

func (p *fetchPool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	if b, ok := p.bytes.Get().(*[]byte); ok && cap(*b) >= len(compressed) {
		return *b
	}
	return make([]byte, 0, unfolds*len(compressed))
}

func (p *fetchPool) PutDecompressBytes(b []byte) {
	if cap(b) <= maxPooled {
		b = b[:0]
		p.bytes.Put(&b)
	}
}

func (p *fetchPool) GetRecords(n int) []kgo.Record {
	if r, ok := p.records.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return *r
	}
	return make([]kgo.Record, n)
}

func (p *fetchPool) PutRecords(r []kgo.Record) {
	if cap(r) <= maxPooled/256 {
		p.records.Put(&r)
	}
}

// recycle gives the records' memory back: nothing of theirs may be used after it.
func recycle(records []*kgo.Record) {
	for _, r := range records {
		r.Recycle()
	}
}
