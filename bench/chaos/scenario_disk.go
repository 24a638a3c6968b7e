package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	diskBytes = 1 << 30   // of the small disk
	diskSlack = 256 << 20 // what is left at first: less than the broker keeps free
)

// diskFull runs the whole system on embedded servers from a folder on a small disk, fills the disk while events come, and
// makes room again. It needs root, for the disk.
func diskFull(w *world, _ *fault) (fired bool, detail string) {
	dir := filepath.Join(w.dir, "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return false, err.Error()
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		return false, fmt.Sprintf("a small disk needs root: %v", err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			say("unmount %s: %v", dir, err)
		}
	}()
	p, err := w.up(dir)
	if err != nil {
		return false, err.Error()
	}
	defer p.stop(30 * sec)
	addr, err := w.ready(dir)
	if err != nil {
		w.wrong("the embedded system does not start: %v", err)
		return false, err.Error()
	}
	producer, err := startProducer(w.ctx, addr, "events", 200)
	if err != nil {
		return false, err.Error()
	}
	defer producer.stop()
	time.Sleep(4 * sec)
	fill, err := fillDisk(dir)
	if err != nil {
		return false, err.Error()
	}
	time.Sleep(3 * sec) // the acknowledged ones go on
	producer.pause(true)
	acked := producer.acked.Load()
	w.verifyBox(dir, acked)
	return fill == 0, fmt.Sprintf("%d events acknowledged, %d bytes were free", acked, fill)
}

// up starts `coldstream up` from a folder.
func (w *world) up(dir string) (*process, error) {
	file, err := os.Create(filepath.Join(w.dir, "up.log"))
	if err != nil {
		return nil, err
	}
	log := &logScanner{file: file, name: "up", wrong: func(text string) { w.wrong("%s", text) }}
	p := &process{name: "up", log: log, make: func() *exec.Cmd {
		any := "127.0.0.1:0"
		cmd := exec.Command(w.binary, "up", "--data", filepath.Join(dir, "data"), "--kafka-addr", any, "--s3-addr", any, "--clickhouse-addr", any, "--http-addr", any)
		cmd.Env = append(os.Environ(), "COLDSTREAM_COLD_CHECKPOINT=2s", "COLDSTREAM_COLD_GRACE=0s", "COLDSTREAM_DEDUP_WINDOW=4096")
		return cmd
	}}
	p.start()
	return p, nil
}

// ready waits for the broker's address.
func (w *world) ready(dir string) (string, error) {
	for begin := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		var r struct {
			Kafka struct{ Addr string }
		}
		doc, err := os.ReadFile(filepath.Join(dir, "data", "ready.json"))
		if err == nil && json.Unmarshal(doc, &r) == nil && r.Kafka.Addr != "" {
			return r.Kafka.Addr, nil
		}
		if time.Since(begin) > 2*time.Minute || w.ctx.Err() != nil {
			return "", fmt.Errorf("nothing answers: %w", err)
		}
	}
}

// fillDisk takes all but a little, then all, each for some seconds, and gives back what it took. It says how many bytes
// were free at the worst.
func fillDisk(dir string) (free uint64, err error) {
	name := filepath.Join(dir, "ballast")
	defer os.RemoveAll(name)
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for _, leave := range []int64{diskSlack, 0} {
		for end := time.Now().Add(6 * sec); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			var s unix.Statfs_t
			if err := unix.Statfs(dir, &s); err != nil {
				return 0, err
			}
			free = s.Bavail * uint64(s.Bsize)
			if more := int64(free) - leave; more > 0 {
				at, err := f.Seek(0, 2)
				if err == nil {
					err = unix.Fallocate(int(f.Fd()), 0, at, more)
				}
				if err == nil {
					_, err = f.Seek(0, 2)
				}
				if err != nil && err != syscall.ENOSPC { //nolint:errorlint // what the system call gives
					return 0, err
				}
			}
		}
	}
	return free, nil
}

// verifyBox runs verify on the embedded system: what was acknowledged is there, in the lake and in the hot store, once.
func (w *world) verifyBox(dir string, acked int64) {
	out, errs, err := output(timeout(4*time.Minute), w.binary, nil, "verify", "--wait", "2m", "--json", "--data", filepath.Join(dir, "data"))
	if err != nil {
		w.wrong("after the disk was full: verify: %v: %s %s", err, out, errs)
		return
	}
	var r struct{ Topic struct{ Records int64 } }
	if err := json.Unmarshal(out, &r); err != nil || r.Topic.Records < acked {
		w.wrong("after the disk was full the topic has %d records, %d were acknowledged (%v)", r.Topic.Records, acked, err)
	}
}
