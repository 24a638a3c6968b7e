package broker

import (
	"testing"
	"time"
)

func TestHistoryStaysSmall(t *testing.T) {
	const days, retention = 30, 7 * 24 * time.Hour
	h, err := loadHistory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	limited := keptTopic{retention: retention}
	forever := keptTopic{retention: -1}
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for minute := range days * 24 * 60 {
		now := begin.Add(time.Duration(minute) * time.Minute)
		end := int64(minute + 1)
		h.record("limited", end, now, limited.spacing())
		h.record("forever", end, now, forever.spacing())
		to, ok := h.expired("limited", now.Add(-retention))
		if !ok {
			continue
		}
		// One record a minute: the log must hold a week of them, and not much more.
		if held := time.Duration(end-to) * time.Minute; held < retention || held > retention+2*limited.spacing()+time.Minute {
			t.Fatalf("minute %d: %s of records are kept, want %s", minute, held, retention)
		}
	}
	if n := len(h.partitions["limited"]); n > historyPoints+3 {
		t.Errorf("%d points for a limited topic", n)
	}
	if n := len(h.partitions["forever"]); n != 1 {
		t.Errorf("%d points for a topic kept for ever", n)
	}
}

func TestHistoryIsReadBack(t *testing.T) {
	dir := t.TempDir()
	h, err := loadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	h.record("a/0", 7, time.Now(), 0)
	h.record("gone/0", 9, time.Now(), 0)
	h.keepOnly(map[string]bool{"a/0": true})
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	again, err := loadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	if end, ok := again.end("a/0"); !ok || end != 7 {
		t.Errorf("end %d, %v, want 7", end, ok)
	}
	if _, ok := again.end("gone/0"); ok {
		t.Error("a deleted topic is remembered")
	}
}
