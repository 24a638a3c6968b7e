package compact

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/parquet"
)

var (
	// ErrDiffers says that the new files do not hold exactly the rows that they should: the day was left as it is.
	ErrDiffers = errors.New("the new files do not hold the same rows")
	// ErrDamaged says that the day's files are not as the table says, or hold a record twice: `verify` tells more.
	ErrDamaged = errors.New("the day's files are damaged; see `coldstream verify`")
	// ErrNewer says that files have columns that this release does not know and would lose.
	ErrNewer = errors.New("files were written by a newer release: compact with that one")
	// ErrOld says that the work took so long that `sweep` may have taken the new files.
	ErrOld = errors.New("the new files are too old to be used")
)

// Compactor compacts days, one at a time. It belongs to one goroutine.
type Compactor struct{ cfg Config }

// New checks the configuration; no I/O.
func New(cfg Config) (*Compactor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Compactor{cfg.withDefaults()}, nil
}

// Result is what became of one day.
type Result struct {
	Day       string        `json:"day"`
	Late      bool          `json:"late"`      // only files of late events were merged
	Abandoned bool          `json:"abandoned"` // somebody else replaced a file meanwhile: nothing was changed
	FilesIn   int           `json:"files_in"`
	FilesOut  int           `json:"files_out"`
	BytesIn   int64         `json:"bytes_in"`
	BytesOut  int64         `json:"bytes_out"`
	Rows      int64         `json:"rows"`    // in the new files
	Repeats   int64         `json:"repeats"` // removed
	Windows   int           `json:"windows"`
	ChunksIn  int           `json:"chunks_in"`
	ChunksOut int           `json:"chunks_out"`
	Listing   string        `json:"listing"` // object below the table's location that lists inputs, outputs and removed repeats
	Version   int64         `json:"version"` // of the table after the swap
	Took      time.Duration `json:"took_ns"`
}

// Day compacts one day. Errors: ErrDamaged, ErrNewer, ErrDiffers, ErrOld (the day is as it was), or the store's.
func (c *Compactor) Day(ctx context.Context, p *Plan) (Result, error) {
	w := &work{cfg: &c.cfg, plan: p, began: c.cfg.Now(), id: uuid.NewString(), blocks: c.cfg.Table.Store().Blocks(c.cfg.Memory / 8)}
	r, err := w.run(ctx)
	if err != nil {
		return r, fmt.Errorf("compact %s: %w", p.Day, err)
	}
	return r, nil
}

// work is one day under way.
type work struct {
	cfg    *Config
	plan   *Plan
	began  time.Time
	id     string
	blocks *objects.Blocks

	inputs   []*input
	opened   int             // inputs whose reader is kept
	repeats  map[place]place // rows to leave out, and which row of the same event stays
	removed  []Removed
	outputs  []lake.DataFile
	in, gone tally // rows read, and those of them left out
	windows  int
	epoch    schemas.Epoch
	sources  []parquet.SourceRange // of all inputs
	unknown  bool                  // an input does not say where its rows come from
}

// tally is a count and a hash of rows.
type tally struct {
	rows int64
	sum  schemas.Sum
}

func (w *work) run(ctx context.Context) (Result, error) {
	if err := w.scan(ctx); err != nil {
		return w.result(), err
	}
	if err := w.findRepeats(ctx); err != nil {
		return w.result(), err
	}
	if err := w.merge(ctx); err != nil {
		return w.result(), err
	}
	faults.Point(faults.CompactMerged)
	if err := w.check(ctx); err != nil {
		return w.result(), err
	}
	r := w.result()
	if err := w.list(ctx, r.Listing); err != nil {
		return r, err
	}
	faults.Point(faults.CompactListed)
	v, err := w.swap(ctx, &r)
	switch {
	case errors.Is(err, lake.ErrInputGone):
		r.Abandoned = true
		w.cfg.Log.Info("compaction abandoned: the day changed meanwhile", "day", r.Day, "error", err)
		return r, nil
	case err != nil:
		return r, err
	}
	faults.Point(faults.CompactSwapped)
	r.Version, r.Took = v.N, w.cfg.Now().Sub(w.began)
	return r, nil
}

func (w *work) result() Result {
	r := Result{
		Day: w.plan.Day.String(), Late: w.plan.Late, FilesIn: len(w.plan.Files), FilesOut: len(w.outputs), BytesIn: w.plan.Bytes(),
		Rows: w.in.rows - w.gone.rows, Repeats: w.gone.rows, Windows: w.windows, Listing: "compactions/" + w.id + ".json",
	}
	for _, in := range w.inputs {
		r.ChunksIn += len(in.chunks)
	}
	for i := range w.outputs {
		r.BytesOut += w.outputs[i].Size
		r.ChunksOut += len(w.outputs[i].Chunks)
	}
	r.Took = w.cfg.Now().Sub(w.began)
	return r
}

// Keys that a compaction adds to its snapshot's summary.
const (
	summaryListing = "coldstream.compaction"
	summaryRepeats = "coldstream.repeats-removed"
)

func (w *work) swap(ctx context.Context, r *Result) (*lake.Version, error) {
	return w.cfg.Table.Swap(ctx, lake.Swap{
		Remove: w.plan.Files, Add: w.outputs,
		Summary: map[string]string{summaryListing: r.Listing, summaryRepeats: strconv.FormatInt(r.Repeats, 10)},
		Check: func(context.Context) error {
			if age := lake.Age(w.cfg.Now(), w.began); age > w.cfg.MaxAge {
				return fmt.Errorf("%w: %v", ErrOld, age)
			}
			return nil
		},
	})
}
