package compact

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
)

// Plan is one day to compact.
type Plan struct {
	Day   schemas.Day
	Files []lake.File // to be replaced
	Kept  int         // files of the day that stay as they are
	// Late says that only the files of late events are merged with one another: the day has been compacted, and they are
	// too few beside its rows to write all of them again.
	Late bool
}

// Rows is the number of rows to read.
func (p *Plan) Rows() (n int64) {
	for i := range p.Files {
		n += p.Files[i].Rows
	}
	return n
}

// Bytes is the size of the files to be replaced.
func (p *Plan) Bytes() (n int64) { return sizeOf(p.Files) }

func sizeOf(files []lake.File) (n int64) {
	for i := range files {
		n += files[i].Size
	}
	return n
}

// Range picks days: [From, To). Zero: no bound.
type Range struct{ From, To time.Time }

// Names of what this package writes: <kind>-<Unix milliseconds>-<id>-<number>.parquet.
const (
	wholeName = "compact" // a whole day
	lateName  = "late"    // late events of a compacted day
)

// kindOf reads the name of a file: its kind ("" for a worker's file) and when it was made.
func kindOf(file string) (kind string, at time.Time) {
	kind, rest, ok := strings.Cut(path.Base(file), "-")
	if !ok || kind != wholeName && kind != lateName {
		return "", time.Time{}
	}
	ms, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return "", time.Time{}
	}
	return kind, time.UnixMilli(n)
}

// All plans every closed day that is not one chunk a window yet, by day: what somebody who asks for it by hand wants.
func (c *Compactor) All(ctx context.Context, r Range) ([]Plan, error) {
	return c.plan(ctx, r, func(d *dayFiles) *Plan {
		if len(d.whole)+len(d.loose) < 2 || len(d.loose) == 0 {
			return nil
		}
		return d.all()
	})
}

// mostLoose is how many files of a day are compacted even while more are added to it.
const mostLoose = 1000

// lateShare: once the late files of a day are this fraction of its bytes, the whole day is written again.
const lateShare = 8

// Due plans what a schedule should do now. A closed day is compacted once nothing was added to it for Config.After, so
// that an import of its events is not chased. Files of late events wait until there are Config.LateFiles of them; then
// they are merged with one another, and with the whole day only once they are an eighth of its bytes: so an event is
// written a handful of times, however many trickle in.
func (c *Compactor) Due(ctx context.Context) ([]Plan, error) {
	return c.plan(ctx, Range{}, func(d *dayFiles) *Plan {
		switch {
		case len(d.loose) == 0 || len(d.loose)+len(d.whole) < 2:
			return nil
		case !d.quiet && len(d.loose) < mostLoose:
			return nil
		case len(d.whole) == 0:
			return d.all()
		case d.fresh < c.cfg.LateFiles:
			return nil
		case sizeOf(d.loose)*lateShare >= sizeOf(d.whole):
			return d.all()
		}
		return &Plan{Day: d.day, Files: d.loose, Kept: len(d.whole), Late: true}
	})
}

// dayFiles is the files of one day.
type dayFiles struct {
	day   schemas.Day
	whole []lake.File // of the last compaction of the whole day
	loose []lake.File // workers' files, and late events that were merged
	fresh int         // of the loose ones: workers' files
	quiet bool        // nothing was added lately
}

func (d *dayFiles) all() *Plan {
	return &Plan{Day: d.day, Files: append(append([]lake.File{}, d.whole...), d.loose...)}
}

func (c *Compactor) plan(ctx context.Context, r Range, decide func(*dayFiles) *Plan) ([]Plan, error) {
	v, err := c.cfg.Table.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("compact: %w", err)
	}
	now := c.cfg.Now()
	closed := schemas.DayOf(now.Add(-c.cfg.After).UnixMicro()).Start() // the day that is still open then
	if r.To.IsZero() || r.To.After(closed) {
		r.To = closed
	}
	files, err := v.Files(ctx, lake.Filter{From: r.From, To: r.To})
	if err != nil {
		return nil, fmt.Errorf("compact: %w", err)
	}
	recent := v.SequenceAt(now.Add(-c.cfg.After))
	var plans []Plan
	for len(files) > 0 {
		n := 1
		for n < len(files) && files[n].Day == files[0].Day {
			n++
		}
		d := dayFiles{day: schemas.Day(files[0].Day), quiet: true}
		for _, f := range files[:n] {
			kind, _ := kindOf(f.Path)
			switch kind {
			case wholeName:
				d.whole = append(d.whole, f)
				continue
			case "":
				d.fresh++
				d.quiet = d.quiet && f.Sequence <= recent
			}
			d.loose = append(d.loose, f)
		}
		files = files[n:]
		if p := decide(&d); p != nil {
			plans = append(plans, *p)
		}
	}
	return plans, nil
}
