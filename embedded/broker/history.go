package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

const (
	historyFile    = "appended.json"
	historyVersion = 1
	// historyPoints is about how many points are kept per partition: retention is exact to 1/historyPoints of retention.ms.
	historyPoints = 128
)

// history remembers when each partition's end stood where, so that retention can go by the time of appending,
// whatever timestamps producers send, and so that a log that was emptied keeps its end over a restart.
type history struct {
	path string
	mu   sync.Mutex
	// partitions maps partitionKey to its points by ascending time. The last point is the latest known end.
	partitions map[string][]endPoint
}

// endPoint says that the log ended at End (the next offset) at Time (Unix milliseconds).
type endPoint struct {
	Time int64 `json:"t"`
	End  int64 `json:"end"`
}

type historyDocument struct {
	Version    int                   `json:"version"`
	Partitions map[string][]endPoint `json:"partitions"`
}

// partitionKey names a partition by its topic's id: a topic made again under the same name starts afresh.
func partitionKey(topicID string, partition int32) string {
	return fmt.Sprintf("%s/%d", topicID, partition)
}

// loadHistory reads the history of a data folder; a new folder has an empty one.
func loadHistory(dir string) (*history, error) {
	h := &history{path: filepath.Join(dir, historyFile), partitions: map[string][]endPoint{}}
	raw, err := os.ReadFile(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	var doc historyDocument
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("parse %s: %w", h.path, err)
	}
	if doc.Version != historyVersion {
		return nil, fmt.Errorf("%s has version %d, this program knows %d", h.path, doc.Version, historyVersion)
	}
	for key, points := range doc.Partitions {
		h.partitions[key] = points
	}
	return h, nil
}

// onlyLatest, as a spacing, keeps the latest point alone: for logs that nothing expires from.
const onlyLatest = time.Duration(-1)

// record notes that a partition's log ends at end now. Points are kept at least spacing apart.
func (h *history) record(key string, end int64, now time.Time, spacing time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	points := h.partitions[key]
	point := endPoint{Time: now.UnixMilli(), End: end}
	n := len(points)
	switch {
	case spacing == onlyLatest:
		points = []endPoint{point}
	case n > 0 && points[n-1].End == end:
		return // nothing appended: the earlier time stands
	case n > 1 && point.Time-points[n-2].Time < spacing.Milliseconds():
		points[n-1] = point
	default:
		points = append(points, point)
	}
	h.partitions[key] = points
}

// expired returns the offset below which everything was appended before cutoff, and forgets older points.
func (h *history) expired(key string, cutoff time.Time) (offset int64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	points := h.partitions[key]
	last := -1
	for i, point := range points {
		if point.Time > cutoff.UnixMilli() {
			break
		}
		last = i
	}
	if last < 0 {
		return 0, false
	}
	h.partitions[key] = points[last:]
	return points[last].End, true
}

// end returns the latest known end of a partition's log.
func (h *history) end(key string) (int64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	points := h.partitions[key]
	if len(points) == 0 {
		return 0, false
	}
	return points[len(points)-1].End, true
}

// keepOnly forgets partitions that exist no more.
func (h *history) keepOnly(keys map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key := range h.partitions {
		if !keys[key] {
			delete(h.partitions, key)
		}
	}
}

// save writes the history; a reader sees the old or the new file, never a part.
func (h *history) save() error {
	h.mu.Lock()
	raw, err := json.Marshal(historyDocument{Version: historyVersion, Partitions: h.partitions})
	h.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	if err := renameio.WriteFile(h.path, raw, 0o600); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}
