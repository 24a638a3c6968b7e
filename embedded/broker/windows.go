package broker

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"

	"github.com/google/renameio/v2"
)

const (
	sequenceAt = 53 // int32 in a batch: sequence number of its first record
	countAt    = 57 // int32: number of records
	// windowSize is how many of a producer's last batches a broker remembers per partition, as Kafka's does.
	windowSize = 5
	// windowsVersion is kfake's version of seqWindowsFile.
	windowsVersion = 1
)

// seqWindow is what tells a producer's retry of a stored batch from a new one, in kfake's form.
type seqWindow struct {
	Producer  int64                `json:"pid"`
	Topic     string               `json:"topic"`
	Partition int32                `json:"partition"`
	Epoch     int16                `json:"epoch"`
	Entries   [windowSize]seqEntry `json:"entries"`
	Count     uint8                `json:"count"` // of Entries
	At        uint8                `json:"at"`    // where the next goes
	Seen      bool                 `json:"seen"`
	NextSeq   int32                `json:"next_seq"`
}

// seqEntry is one batch: its sequence numbers [First, Next) and where it was stored.
type seqEntry struct {
	First  int32 `json:"first_seq"`
	Next   int32 `json:"next_seq"`
	Offset int64 `json:"offset"`
}

// sequence is a batch's first sequence number and the one after its last. They wrap as kfake's do.
func (b batch) sequence() (first, next int32) {
	first = int32(binary.BigEndian.Uint32(b[sequenceAt:]))
	count := int64(binary.BigEndian.Uint32(b[countAt:]))
	return first, int32((int64(first) + count) % math.MaxInt32)
}

// windows rebuilds the producers' windows from a tail, as Kafka rebuilds its producer state from the log. kfake saves
// them at an orderly stop only: after a crash, a batch whose answer was lost would be stored again when it is retried.
func (t *tail) windows(topic string, partition int32) []seqWindow {
	byProducer := map[int64]*seqWindow{}
	for _, b := range t.batches {
		p := b.producer()
		if p.id < 0 || b.isControl() {
			continue
		}
		w := byProducer[p.id]
		if w == nil || w.Epoch != p.epoch {
			w = &seqWindow{Producer: p.id, Topic: topic, Partition: partition, Epoch: p.epoch, Seen: true}
			byProducer[p.id] = w
		}
		first, next := b.sequence()
		w.Entries[w.At] = seqEntry{First: first, Next: next, Offset: b.first()}
		w.At = (w.At + 1) % windowSize
		w.Count = min(w.Count+1, windowSize)
		w.NextSeq = next
	}
	var windows []seqWindow
	for _, w := range byProducer {
		windows = append(windows, *w)
	}
	return windows
}

// saveWindows leaves the windows where kfake reads them at its start.
func saveWindows(dir string, windows []seqWindow) error {
	raw, err := json.Marshal(struct {
		Version int         `json:"version"`
		Windows []seqWindow `json:"windows"`
	}{windowsVersion, windows})
	if err != nil {
		return fmt.Errorf("encode producer windows: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, seqWindowsFile), raw, 0o644); err != nil {
		return fmt.Errorf("write producer windows: %w", err)
	}
	return nil
}
