package lake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// PropertyGaps is the table property with what operators accepted and adopted, as JSON. The snapshot of each such commit
// repeats its own decision in its summary, under the same name.
const PropertyGaps = "coldstream.gaps"

// GapsVersion is the format of PropertyGaps.
const GapsVersion = 1

// keepRanges is how many ranges PropertyGaps holds at most, a decision without ranges counting as one. Every version of
// the metadata repeats the property, so it must not grow for ever; of what is left out only the sums stay.
const keepRanges = 256

// The kinds of decisions.
const (
	KindGap    = "gap"    // offsets of source partitions that the table goes on without
	KindChunks = "chunks" // the same, because records of topic `chunks` are gone
	KindTopic  = "topic"  // a topic that was deleted and made again was adopted
)

var (
	// ErrNothing says that there is nothing to accept or to adopt: the table goes on by itself.
	ErrNothing = errors.New("nothing to do")
	// ErrPending says that the committer must take checkpoints first; what they hold would be given up otherwise.
	ErrPending = errors.New("the committer has checkpoints to take first: let it run, then try again")
	// ErrHeld says that a worker holds a partition, perhaps with rows of the gap in memory.
	ErrHeld = errors.New("a worker holds it: stop the archive's workers, then try again")
	// ErrOffset says that a gap cannot end at the offset asked for.
	ErrOffset = errors.New("the gap cannot end there")
)

// Decision is what an operator accepted or adopted, by one commit.
type Decision struct {
	Kind   string     `json:"kind"`
	TimeMs int64      `json:"time_ms"` // wall clock of the commit, Unix milliseconds
	By     string     `json:"by,omitempty"`
	Topic  string     `json:"topic"`
	Lost   int64      `json:"lost"` // offsets that the ranges span
	Ranges []GapRange `json:"ranges,omitempty"`

	ChunksFrom int64  `json:"chunks_from,omitempty"` // KindChunks: offsets [from, to) of topic `chunks` were not looked at
	ChunksTo   int64  `json:"chunks_to,omitempty"`
	OldID      string `json:"old_id,omitempty"` // KindTopic
	NewID      string `json:"new_id,omitempty"`
}

// GapRange is the offsets [From, To) of one source partition that the table does not have and no longer waits for.
type GapRange struct {
	Source    int    `json:"source"` // number in the table's list of sources
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
}

// Gaps is the content of PropertyGaps.
type Gaps struct {
	FormatVersion int        `json:"format_version"`
	Decisions     []Decision `json:"decisions"` // oldest first
	Forgotten     int        `json:"forgotten"` // older decisions that are not listed any more
	Lost          int64      `json:"lost"`      // of all decisions ever
}

// Gaps tells what was accepted and adopted up to this version. Errors: ErrUnknownVersion, ErrDamaged.
func (v *Version) Gaps() (Gaps, error) {
	g := Gaps{FormatVersion: GapsVersion}
	text := v.Properties().Get(PropertyGaps, "")
	if text == "" {
		return g, nil
	}
	if err := checkVersion([]byte(text), GapsVersion); err != nil {
		return g, fmt.Errorf("property %s: %w", PropertyGaps, err)
	}
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return g, fmt.Errorf("property %s: %w: %w", PropertyGaps, ErrDamaged, err)
	}
	return g, nil
}

// add appends a decision and forgets the oldest, as many as it takes. The newest stays whole.
func (g *Gaps) add(d Decision) {
	g.Decisions = append(g.Decisions, d)
	g.Lost += d.Lost
	ranges := 0
	for _, have := range g.Decisions {
		ranges += max(1, len(have.Ranges))
	}
	for ranges > keepRanges && len(g.Decisions) > 1 {
		ranges -= max(1, len(g.Decisions[0].Ranges))
		g.Decisions = g.Decisions[1:]
		g.Forgotten++
	}
}

// decide commits a decision with the position that follows from it. props are further properties.
func (t *Table) decide(ctx context.Context, v *Version, d *Decision, pos *Position, props iceberg.Properties) error {
	gaps, err := v.Gaps()
	if err != nil {
		return err
	}
	d.TimeMs = time.Now().UnixMilli()
	for _, r := range d.Ranges {
		d.Lost += r.To - r.From
	}
	gaps.add(*d)
	all, err := json.Marshal(gaps)
	if err != nil {
		return fmt.Errorf("encode %s: %w", PropertyGaps, err)
	}
	own, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode %s: %w", PropertyGaps, err)
	}
	position, err := pos.encode()
	if err != nil {
		return err
	}
	c := change{
		id: rand.Text(), op: table.OpAppend, position: position, summary: iceberg.Properties{PropertyGaps: string(own)},
		props: iceberg.Properties{PropertyPosition: position, PropertyGaps: string(all)},
	}
	for k, p := range props {
		c.props[k] = p
	}
	_, err = t.commit(ctx, v, c)
	return err
}
