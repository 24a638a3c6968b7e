package broker

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// tail is the last segment of a partition after a crash. A transaction lives for seconds: those that a crash cut off
// began there.
type tail struct {
	data, index string // paths
	size        int64
	batches     []batch
	valid       int // bytes of batches
}

// open is a transaction without an end in a tail.
type open struct {
	in *tail
	of producer
}

// recoverLogs mends the logs after a crash: half a write at their ends, transactions that were open, the windows that
// tell a producer's retry from a new batch.
func recoverLogs(dir string, topics []storedTopic, log *slog.Logger) error {
	producers, err := mendStateLogs(dir)
	if err != nil {
		return err
	}
	var opens []open
	var windows []seqWindow
	committed := map[producer]bool{}
	for _, topic := range topics {
		for partition := range topic.Partitions {
			t, err := readTail(partitionDir(dir, topic.Name, partition))
			if err == nil && t != nil {
				err = t.rewriteIndex(log)
			}
			if err != nil {
				return fmt.Errorf("topic %s partition %d: %w", topic.Name, partition, err)
			}
			if t == nil {
				continue
			}
			opens = append(opens, t.open(committed)...)
			windows = append(windows, t.windows(topic.Name, partition)...)
		}
	}
	if err := saveWindows(dir, windows); err != nil {
		return err
	}
	aborted, err := endOpen(opens, func(p producer) bool { return committed[p] && !producers.ended(p) }, log)
	if err != nil {
		return err
	}
	return producers.fence(dir, aborted)
}

// endOpen ends in the logs every transaction that a crash left open, and returns the epochs of their producers. kfake
// would only note them as aborted in memory: without a marker in the log, a reader drops everything that the same
// producer writes later. A transaction whose commit had reached one of its partitions is committed in the others, as
// Kafka's coordinator would.
func endOpen(opens []open, commits func(producer) bool, log *slog.Logger) (map[int64]int16, error) {
	ended := map[int64]int16{}
	for _, o := range opens {
		commit := commits(o.of)
		log.Warn("broker: ending a transaction that a crash left open",
			"folder", filepath.Base(filepath.Dir(o.in.data)), "producer", o.of.id, "epoch", o.of.epoch, "commit", commit)
		if err := o.in.append(endMarker(o.in.next(), o.of, commit)); err != nil {
			return nil, err
		}
		ended[o.of.id] = max(ended[o.of.id], o.of.epoch)
	}
	return ended, nil
}

// readTail reads the last segment of a partition; nil when it has none.
func readTail(pdir string) (*tail, error) {
	segments, err := listSegments(pdir)
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	base := segments[len(segments)-1].base
	t := &tail{data: segmentPath(pdir, base, dataSuffix), index: segmentPath(pdir, base, indexSuffix)}
	raw, err := os.ReadFile(t.data)
	if err != nil {
		return nil, fmt.Errorf("read last segment: %w", err)
	}
	t.size = int64(len(raw))
	t.batches, t.valid = splitBatches(raw)
	return t, nil
}

// rewriteIndex cuts what is not whole off the segment and makes its index anew. kfake writes a batch, then its index
// entry, then answers: between the two, a crash leaves a batch that kfake takes for one outside any transaction.
func (t *tail) rewriteIndex(log *slog.Logger) error {
	if int64(t.valid) < t.size {
		log.Warn("broker: removing half a batch from the end of a log", "segment", t.data, "bytes", t.size-int64(t.valid))
		if err := os.Truncate(t.data, int64(t.valid)); err != nil {
			return fmt.Errorf("truncate last segment: %w", err)
		}
	}
	if err := os.WriteFile(t.index, indexOf(t.batches), 0o644); err != nil {
		return fmt.Errorf("write index of last segment: %w", err)
	}
	return nil
}

// open lists the transactions without an end, and adds to committed those that ended with a commit here.
func (t *tail) open(committed map[producer]bool) []open {
	pending := map[int64]producer{}
	for _, b := range t.batches {
		switch {
		case b.isControl():
			if b.commits() {
				committed[b.producer()] = true
			}
			delete(pending, b.producer().id)
		case b.inTxn():
			pending[b.producer().id] = b.producer()
		}
	}
	var opens []open
	for _, p := range pending {
		opens = append(opens, open{in: t, of: p})
	}
	return opens
}

// next is the offset after the last batch.
func (t *tail) next() int64 { return t.batches[len(t.batches)-1].next() }

// append adds a batch to the segment and to its index.
func (t *tail) append(b batch) error {
	for path, content := range map[string][]byte{t.data: b, t.index: indexOf([]batch{b})} {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("end a transaction: %w", err)
		}
		if _, err := f.Write(content); err != nil {
			_ = f.Close()
			return fmt.Errorf("end a transaction: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("end a transaction: %w", err)
		}
	}
	t.batches = append(t.batches, b)
	return nil
}
