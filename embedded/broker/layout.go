package broker

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// kfake's data folder: topics.json, and for each partition partitions/TOPIC-N with, per segment, BASE.dat (record
// batches as on the wire) and BASE.idx (one entry of indexEntrySize bytes per batch).
const (
	topicsFile     = "topics.json"
	partitionsDir  = "partitions"
	seqWindowsFile = "seq_windows.json"
	dataSuffix     = ".dat"
	indexSuffix    = ".idx"
	indexEntrySize = 15
	// segmentBytes is the size at which a segment is closed. Space comes back by whole segments only.
	segmentBytes = 16 << 20
)

// topicID is a topic's id as kfake writes it.
type topicID [16]byte

// String is the standard base64 form, as in topics.json.
func (id topicID) String() string { return base64.StdEncoding.EncodeToString(id[:]) }

// storedTopic is an entry of topics.json.
type storedTopic struct {
	Name       string `json:"name"`
	ID         string `json:"id"` // base64
	Partitions int32  `json:"partitions"`
}

// storedTopics reads the topics of a data folder; a new folder has none.
func storedTopics(dir string) ([]storedTopic, error) {
	path := filepath.Join(dir, topicsFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	var stored struct {
		Topics []storedTopic `json:"topics"`
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	return stored.Topics, nil
}

// partitionDir is where kfake keeps a partition.
func partitionDir(dir, topic string, partition int32) string {
	return filepath.Join(dir, partitionsDir, fmt.Sprintf("%s-%d", url.PathEscape(topic), partition))
}

// segment is one closed or active segment file.
type segment struct {
	base int64 // offset of its first batch
	size int64 // bytes of its .dat file
}

// listSegments returns a partition's segments by ascending base offset; a partition without data has none.
func listSegments(partitionDir string) ([]segment, error) {
	entries, err := os.ReadDir(partitionDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	var segments []segment
	for _, entry := range entries {
		name, isData := strings.CutSuffix(entry.Name(), dataSuffix)
		base, err := strconv.ParseInt(name, 10, 64)
		if !isData || err != nil {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // trimmed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list segments: %w", err)
		}
		segments = append(segments, segment{base: base, size: info.Size()})
	}
	slices.SortFunc(segments, func(a, b segment) int { return int(a.base - b.base) })
	return segments, nil
}

// segmentPath names a file of a segment.
func segmentPath(partitionDir string, base int64, suffix string) string {
	return filepath.Join(partitionDir, strconv.FormatInt(base, 10)+suffix)
}

// logBytes adds up the segments of all partitions of a data folder.
func logBytes(dir string) (total int64, err error) {
	partitions, err := os.ReadDir(filepath.Join(dir, partitionsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("list partitions: %w", err)
	}
	for _, partition := range partitions {
		segments, err := listSegments(filepath.Join(dir, partitionsDir, partition.Name()))
		if err != nil {
			return 0, err
		}
		for _, s := range segments {
			total += s.size
		}
	}
	return total, nil
}
