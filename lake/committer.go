package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake/objects"
)

// ErrMissingFile says that a file of a checkpoint is not on the store as it was announced.
var ErrMissingFile = errors.New("a file of the checkpoint is missing or altered")

// IsFinal says whether an error means that somebody must look: going on or trying again would lose or double rows.
func IsFinal(err error) bool {
	for _, final := range []error{
		ErrGap, ErrOverlap, ErrForeign, ErrUnknownVersion, ErrMalformed, ErrMissingFile, ErrDamaged, ErrNoTable, ErrLostRecords, objects.ErrUnfit,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// Record is one record of topic `chunks`.
type Record struct {
	Offset int64
	Value  []byte
}

// Committed says what a commit did.
type Committed struct {
	Version     *Version // newest version after it; unchanged if nothing was taken
	Checkpoints int      // taken
	Dropped     int      // lay wholly below the position: another committer took them, or a worker announced them twice
	Files       int
	Rows        int64
	Took        time.Duration
}

// Committer takes checkpoints into a table. One goroutine may use it; any number of committers may work on one table.
type Committer struct {
	table  *Table
	chunks ChunksPosition // whose records these are; Next is not used
}

// NewCommitter gives a committer for the records of one topic `chunks`.
func NewCommitter(t *Table, cluster, topic, topicID string) *Committer {
	return &Committer{table: t, chunks: ChunksPosition{Cluster: cluster, Topic: topic, TopicID: topicID}}
}

// Commit takes records, in the order of their offsets, and makes at most one version of them. Where a record cannot be
// taken, those before it are committed and the error tells why: if it IsFinal, stop; else call again with the same
// records, as often as it takes. Records that the table is past are skipped.
func (c *Committer) Commit(ctx context.Context, records []Record) (Committed, error) {
	begin := time.Now()
	for {
		v, err := c.table.Load(ctx)
		if err != nil {
			return Committed{}, err
		}
		faults.Point(faults.CommitterLoaded)
		done, err := c.commitAt(ctx, v, records)
		if errors.Is(err, ErrConflict) {
			if waitErr := pause(ctx, conflictPause); waitErr != nil {
				return Committed{}, errors.Join(err, waitErr)
			}
			continue
		}
		done.Took = time.Since(begin)
		return done, err
	}
}

// position checks that the table follows our topic, and gives its position.
func (c *Committer) position(v *Version) (Position, error) {
	pos := v.Position.clone()
	have := pos.Chunks
	if have.TopicID != "" && (have.TopicID != c.chunks.TopicID || have.Cluster != c.chunks.Cluster) {
		err := fmt.Errorf("the table follows topic %s (id %s) of cluster %s, this is topic %s (id %s) of cluster %s: %w",
			have.Topic, have.TopicID, have.Cluster, c.chunks.Topic, c.chunks.TopicID, c.chunks.Cluster, ErrForeign)
		if have.Cluster == c.chunks.Cluster && have.Topic == c.chunks.Topic {
			err = fmt.Errorf("%w: it was deleted and made again: `coldstream lake adopt-topic --topic %s` takes the new one", err, have.Topic)
		}
		return pos, err
	}
	pos.Chunks.Cluster, pos.Chunks.Topic, pos.Chunks.TopicID = c.chunks.Cluster, c.chunks.Topic, c.chunks.TopicID
	return pos, nil
}

func (c *Committer) commitAt(ctx context.Context, v *Version, records []Record) (Committed, error) {
	p, err := c.plan(ctx, v, records)
	if err != nil {
		return Committed{Version: v}, err
	}
	done := Committed{Version: v, Checkpoints: p.taken, Dropped: p.dropped, Files: len(p.files)}
	if p.taken == 0 {
		return done, p.stop
	}
	faults.Point(faults.CommitterJudged)
	ch, err := c.change(v, &p)
	if err != nil {
		return Committed{Version: v}, err
	}
	if done.Version, err = c.table.commit(ctx, v, ch); err != nil {
		return Committed{Version: v}, err
	}
	for i := range p.files {
		done.Rows += p.files[i].Rows
	}
	return done, p.stop
}

// change makes a commit of a plan.
func (c *Committer) change(v *Version, p *plan) (change, error) {
	position, err := p.pos.encode()
	if err != nil {
		return change{}, err
	}
	spec := v.Metadata.PartitionSpec()
	ch := change{
		id: rand.Text(), op: table.OpAppend, position: position,
		props: iceberg.Properties{PropertyPosition: position},
	}
	for i := range p.files {
		f, err := c.table.dataFile(spec, &p.files[i])
		if err != nil {
			return change{}, err
		}
		ch.files = append(ch.files, f)
	}
	return ch, nil
}
