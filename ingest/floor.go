package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// ErrForeignGroup says that the group has committed offsets of which the table knows nothing: it is not the table that
// the group has filled. To go on at the group's offsets would leave the table without what lies before.
var ErrForeignGroup = errors.New("the group's offsets are not of this table")

// floorEvery is the pause between two questions to a table that does not know yet what the group has committed.
const floorEvery = 250 * time.Millisecond

// floors asks where the table stands. Without a Floor the group's offsets are all that counts.
//
// A commit of the group can be seen a moment before its records can: the coordinator ends a transaction partition by
// partition, and another worker's open transaction hides what was written after its beginning. No transaction outlives
// TransactionTimeout, so that long the table is asked again.
func (s *session) floors(
	ctx context.Context, sources []schemas.Source, offsets map[string]map[int32]kgo.Offset, from kadm.ListedOffsets,
) ([]schemas.Start, error) {
	if s.cfg.Floor == nil {
		return noFloors(len(sources)), nil
	}
	for deadline := time.Now().Add(s.cfg.TransactionTimeout); ; wait(ctx, floorEvery) {
		floors, err := s.cfg.Floor(ctx, sources)
		if err != nil {
			return nil, fmt.Errorf("position of the table: %w", err)
		}
		err = s.foreign(floors, offsets, from)
		if err == nil {
			return floors, nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return nil, err
		}
		s.cfg.Logger.Debug("the table does not know yet what the group has committed", "group", s.cfg.Group, "error", err)
	}
}

func noFloors(n int) []schemas.Start {
	floors := make([]schemas.Start, n)
	for i := range floors {
		floors[i].Offset = -1
	}
	return floors
}

// foreign compares the group's offsets with a table's. A partition that the table does not know must begin where its log
// does, and the group cannot stand past the table: its offsets are committed together with the record that takes the
// table there. To begin past the table would leave a gap that nothing closes any more.
func (s *session) foreign(floors []schemas.Start, offsets map[string]map[int32]kgo.Offset, from kadm.ListedOffsets) error {
	for _, f := range floors {
		first, _ := from.Lookup(f.Topic, f.Partition)
		at := committed(offsets, f.Source)
		if at <= max(f.Offset, first.Offset) {
			continue
		}
		if f.Offset >= 0 {
			return fmt.Errorf("%w: %s: group %s stands at %d, and the table, with every checkpoint that is announced, at %d: the group's offsets were moved, or announced checkpoints were lost: "+
				"reset the group's offsets to the earliest with Kafka's own tools to archive what lies between, or run `coldstream lake accept-gap` to go on without it",
				ErrForeignGroup, f.Source, s.cfg.Group, at, f.Offset)
		}
		return fmt.Errorf("%w: %s: group %s stands at %d, the table has nothing of this partition and the log begins at %d: the table or the topic was made anew, or the table is another one: "+
			"reset the group's offsets to the earliest with Kafka's own tools to archive again from the log's start, or run `coldstream lake accept-gap` to go on without what lies before",
			ErrForeignGroup, f.Source, s.cfg.Group, at, first.Offset)
	}
	return nil
}
