package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// cleanFile is there between an orderly stop and the next start.
const cleanFile = "stopped-cleanly"

// repair mends, before kfake reads the folder, what kfake would misread: the state logs and the open transactions that
// a crash left, and logs that were emptied.
func repair(dir string, h *history, log *slog.Logger) error {
	err := os.Remove(filepath.Join(dir, cleanFile))
	crashed := errors.Is(err, fs.ErrNotExist)
	if err != nil && !crashed {
		return fmt.Errorf("take the mark of the orderly stop away: %w", err)
	}
	topics, err := storedTopics(dir)
	if err != nil {
		return err
	}
	if crashed {
		if err := recoverLogs(dir, topics, log); err != nil {
			return err
		}
	}
	for _, topic := range topics {
		for partition := range topic.Partitions {
			pdir := partitionDir(dir, topic.Name, partition)
			if err := restoreEnd(pdir, h, partitionKey(topic.ID, partition), log); err != nil {
				return fmt.Errorf("topic %s partition %d: %w", topic.Name, partition, err)
			}
		}
	}
	return nil
}

// markClean notes an orderly stop.
func markClean(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, cleanFile), nil, 0o600); err != nil {
		return fmt.Errorf("broker: mark the orderly stop: %w", err)
	}
	return nil
}

// restoreEnd gives a log without segments the end that it had.
func restoreEnd(pdir string, h *history, key string, log *slog.Logger) error {
	segments, err := listSegments(pdir)
	if err != nil || len(segments) > 0 {
		return err
	}
	end, ok := h.end(key)
	if !ok || end == 0 {
		return nil
	}
	log.Info("broker: restoring the end of an emptied log", "folder", filepath.Base(pdir), "end", end)
	return writeEndMarker(pdir, end)
}

// forgetShutdownState removes what kfake saved for the restart that has just taken place. Left behind, it would be
// believed again after a later crash, when it is stale: producers that went on would be refused as out of order.
func forgetShutdownState(dir string) error {
	if err := os.Remove(filepath.Join(dir, seqWindowsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget producer windows: %w", err)
	}
	return nil
}
