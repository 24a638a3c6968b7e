package broker

import (
	"fmt"
	"os"
)

// indexVersion is kfake's version of an index entry.
const indexVersion = 1

// writeEndMarker gives an empty partition a log that holds nothing for clients and ends at end: one control batch at
// end-1, an abort marker of no producer.
func writeEndMarker(pdir string, end int64) error {
	if err := os.MkdirAll(pdir, 0o755); err != nil {
		return fmt.Errorf("create partition folder: %w", err)
	}
	marker := endMarker(end-1, producer{id: -1, epoch: -1}, false)
	// The index goes first: alone, it is ignored and overwritten by the next start.
	if err := os.WriteFile(segmentPath(pdir, end-1, indexSuffix), indexOf([]batch{marker}), 0o644); err != nil {
		return fmt.Errorf("write end marker: %w", err)
	}
	if err := os.WriteFile(segmentPath(pdir, end-1, dataSuffix), marker, 0o644); err != nil {
		return fmt.Errorf("write end marker: %w", err)
	}
	return nil
}
