package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// kfake's append-only logs of groups and of producers: entries of length (4 bytes, of what follows the checksum),
// checksum (4, Castagnoli), version (2) and JSON, little-endian.
const (
	groupsLog    = "groups.log"
	producersLog = "pids.log"
	entryHeader  = 8 // length and checksum
	entryVersion = 1
)

// producerEntry is an entry of producersLog.
type producerEntry struct {
	Type    string `json:"type"` // init, endtx, timeout
	ID      int64  `json:"pid"`
	Epoch   int16  `json:"epoch"`
	TxID    string `json:"txid,omitempty"`
	Timeout int32  `json:"timeout,omitempty"`
	Commit  *bool  `json:"commit,omitempty"`
}

// producerStates is what producersLog says after a crash.
type producerStates struct {
	latest map[int64]producerEntry // by producer id: identity from the last init, epoch from the last entry
	ends   map[producer]bool       // transactions whose end was noted
}

// mendStateLogs cuts half an entry off the end of the state logs, where kfake would append after it and never read on,
// and returns the producers.
func mendStateLogs(dir string) (*producerStates, error) {
	if _, err := mendStateLog(filepath.Join(dir, groupsLog)); err != nil {
		return nil, err
	}
	entries, err := mendStateLog(filepath.Join(dir, producersLog))
	if err != nil {
		return nil, err
	}
	states := &producerStates{latest: map[int64]producerEntry{}, ends: map[producer]bool{}}
	for _, raw := range entries {
		var entry producerEntry
		if err := json.Unmarshal(raw, &entry); err != nil {
			return nil, fmt.Errorf("parse an entry of %s: %w", producersLog, err)
		}
		states.apply(entry)
	}
	return states, nil
}

func (s *producerStates) apply(entry producerEntry) {
	if entry.Type == "init" {
		s.latest[entry.ID] = entry
		return
	}
	s.ends[producer{entry.ID, entry.Epoch}] = true
	if known, ok := s.latest[entry.ID]; ok {
		known.Epoch = entry.Epoch
		s.latest[entry.ID] = known
	}
}

// ended tells whether the end of this transaction was noted: then one that is open under the same epoch is another.
func (s *producerStates) ended(p producer) bool { return s.ends[p] }

// fence raises the epoch of producers whose transaction was ended for them, so that they cannot go on with half of it.
func (s *producerStates) fence(dir string, epochs map[int64]int16) error {
	if len(epochs) == 0 {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, producersLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("fence producers: %w", err)
	}
	defer func() { _ = f.Close() }()
	for id, epoch := range epochs {
		entry := s.latest[id]
		entry.Type, entry.ID = "init", id
		if entry.Epoch = max(entry.Epoch, epoch); entry.Epoch < math.MaxInt16 {
			entry.Epoch++
		}
		raw, err := json.Marshal(entry)
		if err != nil {
			return fmt.Errorf("fence producer %d: %w", id, err)
		}
		if _, err := f.Write(encodeEntry(raw)); err != nil {
			return fmt.Errorf("fence producer %d: %w", id, err)
		}
	}
	return nil
}

func encodeEntry(content []byte) []byte {
	entry := make([]byte, entryHeader+2, entryHeader+2+len(content))
	binary.LittleEndian.PutUint32(entry, uint32(2+len(content)))
	binary.LittleEndian.PutUint16(entry[entryHeader:], entryVersion)
	entry = append(entry, content...)
	binary.LittleEndian.PutUint32(entry[4:], crc32.Checksum(entry[entryHeader:], castagnoli))
	return entry
}

// mendStateLog cuts a log after its last intact entry and returns the entries' JSON.
func mendStateLog(path string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state log: %w", err)
	}
	var entries [][]byte
	valid := 0
	for len(raw)-valid >= entryHeader+2 {
		body := raw[valid+entryHeader:]
		length := int64(binary.LittleEndian.Uint32(raw[valid:]))
		if length < 2 || length > int64(len(body)) ||
			crc32.Checksum(body[:length], castagnoli) != binary.LittleEndian.Uint32(raw[valid+4:]) {
			break
		}
		entries = append(entries, body[2:length])
		valid += entryHeader + int(length)
	}
	if valid < len(raw) {
		if err := os.Truncate(path, int64(valid)); err != nil {
			return nil, fmt.Errorf("mend state log: %w", err)
		}
	}
	return entries, nil
}
