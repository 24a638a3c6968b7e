package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// PropertyRebuilt tells in the summary of a snapshot that the table was made anew from its files, and when.
const PropertyRebuilt = "coldstream.rebuilt"

// Restoration is a table to be made anew.
type Restoration struct {
	Files    []DataFile // what it holds; hashes are not looked at
	Sources  []Source
	Position Position
	Frozen   Frozen
}

// Restore commits a table of its own making as the version after every one that there ever was, whatever those say. Readers
// and writers that know the table find it there. Nothing is deleted.
func (t *Table) Restore(ctx context.Context, r Restoration) (*Version, error) {
	v, err := t.restore(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("rebuild %s: %w", t.Location(), err)
	}
	return v, nil
}

func (t *Table) restore(ctx context.Context, r Restoration) (*Version, error) {
	last, err := t.lastNumber(ctx)
	if err != nil {
		return nil, err
	}
	spec := eventsSpec()
	props := eventsProperties()
	for k, v := range r.Frozen.properties() {
		props[k] = v
	}
	props[PropertySchema] = strconv.Itoa(SchemaVersion)
	if props[PropertySources], err = encodeSources(r.Sources); err != nil {
		return nil, err
	}
	meta, err := table.NewMetadata(EventsSchema(), &spec, table.UnsortedSortOrder, t.Location(), props)
	if err != nil {
		return nil, err
	}
	r.Position.FormatVersion = PositionVersion
	position, err := r.Position.encode()
	if err != nil {
		return nil, err
	}
	c := change{
		id: rand.Text(), op: table.OpAppend, position: position, props: iceberg.Properties{PropertyPosition: position},
		summary: iceberg.Properties{PropertyRebuilt: time.Now().UTC().Format(time.RFC3339)},
	}
	for i := range r.Files {
		f, err := t.dataFile(meta.PartitionSpec(), &r.Files[i])
		if err != nil {
			return nil, err
		}
		c.files = append(c.files, f)
	}
	return t.commit(ctx, &Version{N: last, Metadata: meta, table: t}, c)
}

// lastNumber is the highest version number that was ever used; 0 where there was none. A hint that cannot be read is replaced.
func (t *Table) lastNumber(ctx context.Context) (int64, error) {
	last, _, err := t.hint(ctx)
	if errors.Is(err, ErrDamaged) {
		err = t.store.Remove(ctx, t.hintKey())
	}
	if err != nil {
		return 0, err
	}
	all, err := t.versions(ctx)
	if err != nil && !errors.Is(err, ErrNoTable) {
		return 0, err
	}
	for _, v := range all {
		last = max(last, v.n)
	}
	return last, nil
}

// Announced is how far Kafka says that the archive had come.
type Announced struct {
	Topic  Source          // of events
	Chunks ChunksPosition  // at the end of `chunks`
	Next   map[int32]int64 // by partition: from which offset on no checkpoint was announced
}

// AskAnnounced asks the brokers for it: the group's offsets, and what `chunks` still has. No worker may hold a partition
// (ErrHeld), and no transaction may be open (ErrPending).
func AskAnnounced(ctx context.Context, client []kgo.Opt, topic, chunks, group string) (Announced, error) {
	a := Announced{Next: map[int32]int64{}}
	if err := a.ask(ctx, client, topic, chunks, group); err != nil {
		return a, fmt.Errorf("ask how far the archive had come: %w", err)
	}
	return a, nil
}

func (a *Announced) ask(ctx context.Context, client []kgo.Opt, topic, chunks, group string) (err error) {
	if a.Topic, err = IdentifyTopic(ctx, client, topic); err != nil {
		return err
	}
	id, err := IdentifyTopic(ctx, client, chunks)
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(client...)
	if err != nil {
		return err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	held, err := heldBy(ctx, admin, group, topic)
	if err != nil {
		return err
	}
	for p, who := range held {
		return fmt.Errorf("%s/%d: %s: %w", topic, p, who, ErrHeld)
	}
	log, err := settledChunks(ctx, admin, chunks)
	if err != nil {
		return err
	}
	a.Chunks = ChunksPosition{Cluster: id.Cluster, Topic: id.Topic, TopicID: id.TopicID, Next: log.stable}
	committed, err := committedOf(ctx, admin, group, topic)
	if err != nil {
		return err
	}
	for p, next := range committed {
		a.Next[p] = next
	}
	return eachAhead(ctx, client, chunks, log.start, log.stable, func(value []byte) error {
		cp, err := Decode(value)
		if err != nil {
			return err
		}
		for _, r := range cp.Sources {
			if r.Cluster == a.Topic.Cluster && r.TopicID == a.Topic.TopicID {
				a.Next[r.Partition] = max(a.Next[r.Partition], r.Next)
			}
		}
		return nil
	})
}
