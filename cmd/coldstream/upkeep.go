package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/jobs/sweep"
	"github.com/coldstream/coldstream/lake"
)

// upkeep is what the archive's table needs done from time to time: compaction, expiry, sweep. It runs where the committer
// runs, in the one process whose committer owns topic `chunks`; should two do so at once for a moment, no harm is done.
type upkeep struct {
	cfg   *config.Config
	table *lake.Table
	owned atomic.Bool
	told  upkeepCounters
	tell  func(job string, err error) // of how a job ended
}

// upkeepCounters are shown on the status page and in the metrics.
type upkeepCounters struct {
	days, abandoned, filesIn, filesOut, bytesIn, bytesOut, rows, repeats atomic.Int64
	versions, snapshots, trimmed                                         atomic.Int64
	swept, sweptBytes, young, unknown                                    atomic.Int64
	failures                                                             atomic.Int64
}

func (c *upkeepCounters) add(to map[string]int64) {
	for name, n := range map[string]*atomic.Int64{
		"compact.days": &c.days, "compact.abandoned": &c.abandoned, "compact.files_in": &c.filesIn, "compact.files_out": &c.filesOut,
		"compact.bytes_in": &c.bytesIn, "compact.bytes_out": &c.bytesOut, "compact.rows": &c.rows, "compact.repeats_removed": &c.repeats,
		"expire.versions": &c.versions, "expire.snapshots": &c.snapshots, "expire.chunks_records": &c.trimmed,
		"sweep.objects": &c.swept, "sweep.bytes": &c.sweptBytes, "sweep.young": &c.young, "sweep.unknown": &c.unknown,
		"upkeep.failures": &c.failures,
	} {
		to[name] = n.Load()
	}
}

// upkeepLook is how often it is looked whether a job is due.
const upkeepLook = 10 * time.Second

// run does what is due until ctx ends. A job that fails is tried again at its next turn.
func (u *upkeep) run(ctx context.Context) error {
	start := time.Now()
	jobs := []struct {
		name  string
		every time.Duration
		first time.Duration // after the start, at most: processes may be restarted more often than a job is due
		do    func(context.Context) error
		next  time.Time
	}{
		{name: "compact", every: u.cfg.Lake.CompactEvery, first: time.Minute, do: u.compact},
		{name: "expire", every: u.cfg.Lake.ExpireEvery, first: 5 * time.Minute, do: u.expire},
		{name: "sweep", every: u.cfg.Lake.SweepEvery, first: 15 * time.Minute, do: u.sweep},
	}
	for i := range jobs {
		jobs[i].next = start.Add(min(jobs[i].first, jobs[i].every))
	}
	look := time.NewTicker(min(upkeepLook, shortest(u.cfg)))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		for i := range jobs {
			j := &jobs[i]
			if j.every == 0 || !u.owned.Load() || time.Now().Before(j.next) {
				continue
			}
			err := j.do(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				u.told.failures.Add(1)
			}
			u.tell(j.name, err)
			j.next = time.Now().Add(j.every)
		}
	}
}

// shortest is the shortest time between two turns of a job.
func shortest(cfg *config.Config) time.Duration {
	low := upkeepLook
	for _, d := range []time.Duration{cfg.Lake.CompactEvery, cfg.Lake.ExpireEvery, cfg.Lake.SweepEvery} {
		if d > 0 {
			low = min(low, d)
		}
	}
	return low
}

func (u *upkeep) compact(ctx context.Context) error {
	job, err := compact.New(compactConfig(u.cfg, u.table))
	if err != nil {
		return err
	}
	plans, err := job.Due(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := range plans {
		if ctx.Err() != nil || !u.owned.Load() {
			break
		}
		r, err := job.Day(ctx, &plans[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		u.count(&r)
	}
	return errors.Join(errs...)
}

func (u *upkeep) count(r *compact.Result) {
	c := &u.told
	if r.Abandoned {
		c.abandoned.Add(1)
		return
	}
	c.days.Add(1)
	c.filesIn.Add(int64(r.FilesIn))
	c.filesOut.Add(int64(r.FilesOut))
	c.bytesIn.Add(r.BytesIn)
	c.bytesOut.Add(r.BytesOut)
	c.rows.Add(r.Rows)
	c.repeats.Add(r.Repeats)
}

// compactConfig is how the configuration has days compacted.
func compactConfig(cfg *config.Config, table *lake.Table) compact.Config {
	l := &cfg.Lake
	after := l.CompactAfter
	if after == 0 {
		after = -1 // the job takes 0 for its default
	}
	return compact.Config{
		Table: table, After: after, LateFiles: l.CompactFiles, Memory: l.CompactMemory, FileBytes: l.FileBytes, MaxAge: l.SweepMargin / 4,
	}
}

func (u *upkeep) expire(ctx context.Context) error {
	before := time.Now().Add(-u.cfg.Lake.Keep)
	e, err := u.table.Expire(ctx, before, false, nil)
	if err != nil {
		return err
	}
	u.told.versions.Add(int64(e.Versions))
	u.told.snapshots.Add(int64(e.Snapshots))
	cut, err := u.table.TrimChunks(ctx, clientOf(u.cfg), u.cfg.Kafka.Topics.Chunks, before, false)
	u.told.trimmed.Add(cut.To - cut.From)
	return err
}

func (u *upkeep) sweep(ctx context.Context) error {
	if u.table.Remote() {
		return nil // the catalog's own maintenance does it
	}
	r, err := sweep.Run(ctx, sweep.Config{
		Table: u.table, Client: clientOf(u.cfg), Chunks: u.cfg.Kafka.Topics.Chunks, Margin: u.cfg.Lake.SweepMargin,
	})
	u.told.swept.Add(int64(len(r.Deleted)))
	u.told.sweptBytes.Add(r.Bytes)
	u.told.young.Store(r.Young)
	u.told.unknown.Store(int64(len(r.Unknown)))
	return err
}

// newUpkeep is made with the committer.
func (s *system) newUpkeep() (*upkeep, error) {
	table, err := openTable(s.cfg)
	if err != nil {
		return nil, err
	}
	return &upkeep{cfg: s.cfg, table: table, tell: func(job string, err error) {
		if err == nil {
			s.keeper.set(job, nil)
			return
		}
		s.log.Warn("upkeep of the archive's table failed; it is tried again at its next turn", "job", job, "error", err)
		s.keeper.passing(job, err)
	}}, nil
}
