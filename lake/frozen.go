package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// Table properties that are set once, see Frozen.
const (
	PropertyEpoch       = "coldstream.epoch"
	PropertyDedupWindow = "coldstream.dedup-window"
)

// ErrFrozen says that a configured value is not the one that the table was made with.
var ErrFrozen = errors.New("the table was made with another value, which cannot change")

// Frozen are settings on which the meaning of what is archived depends.
type Frozen struct {
	Epoch       int64 // zero of Snowflake time, Unix milliseconds
	DedupWindow int64 // offsets within which repeats are dropped
}

func (f Frozen) properties() iceberg.Properties {
	return iceberg.Properties{
		PropertyEpoch: strconv.FormatInt(f.Epoch, 10), PropertyDedupWindow: strconv.FormatInt(f.DedupWindow, 10),
	}
}

// Freeze records the settings in the table by a commit of its own, once; later it checks that they are still the same
// (ErrFrozen). Any number may call it at once.
func (t *Table) Freeze(ctx context.Context, f Frozen) error {
	return t.onNewest(ctx, "freeze settings of "+t.Location(), func(v *Version) error { return t.freezeAt(ctx, v, f.properties()) })
}

func (t *Table) freezeAt(ctx context.Context, v *Version, want iceberg.Properties) error {
	missing := iceberg.Properties{}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch have := v.Properties().Get(key, ""); have {
		case want[key]:
		case "":
			missing[key] = want[key]
		default:
			return fmt.Errorf("%s is %s, and the configuration says %s: %w", key, have, want[key], ErrFrozen)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err := t.commit(ctx, v, change{id: rand.Text(), op: table.OpAppend, props: missing})
	return err
}
