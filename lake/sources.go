package lake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// PropertySources is the table property with the list of sources, as JSON.
const PropertySources = "coldstream.sources"

// Source is a topic that rows come from. Its number, in column `source`, is its place in the table's list; it stays.
type Source struct {
	Cluster string `json:"cluster"`
	Topic   string `json:"topic"`
	TopicID string `json:"topic_id"`
}

type sourceList struct {
	FormatVersion int      `json:"format_version"`
	Sources       []Source `json:"sources"`
}

// Sources is the list at this version; the index is the number.
func (v *Version) Sources() ([]Source, error) {
	text := v.Properties().Get(PropertySources, "")
	if text == "" {
		return nil, nil
	}
	if err := checkVersion([]byte(text), PositionVersion); err != nil {
		return nil, fmt.Errorf("property %s: %w", PropertySources, err)
	}
	var l sourceList
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("property %s: %w: %w", PropertySources, ErrDamaged, err)
	}
	return l.Sources, nil
}

// SourceNumber looks a source up; false if it was never registered.
func (v *Version) SourceNumber(cluster, topicID string) (int, bool, error) {
	list, err := v.Sources()
	i := slices.IndexFunc(list, func(s Source) bool { return s.Cluster == cluster && s.TopicID == topicID })
	return i, i >= 0, err
}

// EnsureSource gives the number of a source, registering it by a commit of its own if it is new. `init` and every
// worker call it at start, before the first row; any number of them at once agree. A topic that is registered under
// the same cluster and name with another id was made again: that is ErrForeign until someone adopts it.
func (t *Table) EnsureSource(ctx context.Context, s Source) (int, error) {
	if s.Cluster == "" || s.TopicID == "" {
		return 0, fmt.Errorf("register source %q of cluster %q: the broker gives no cluster or topic id", s.Topic, s.Cluster)
	}
	var number int
	err := t.onNewest(ctx, "register source "+s.Topic, func(v *Version) (err error) {
		number, err = t.registerAt(ctx, v, s)
		return err
	})
	return number, err
}

func (t *Table) registerAt(ctx context.Context, v *Version, s Source) (int, error) {
	list, err := v.Sources()
	if err != nil {
		return 0, err
	}
	if i, known, err := v.SourceNumber(s.Cluster, s.TopicID); known || err != nil {
		return i, err
	}
	if i := sameName(list, s); i >= 0 {
		return 0, fmt.Errorf("topic %s has id %s, the table knows %s: it was deleted and made again: `coldstream lake adopt-topic --topic %s` takes the new one: %w",
			s.Topic, s.TopicID, list[i].TopicID, s.Topic, ErrForeign)
	}
	doc, err := encodeSources(append(slices.Clone(list), s))
	if err != nil {
		return 0, err
	}
	_, err = t.commit(ctx, v, change{id: rand.Text(), op: table.OpAppend, props: iceberg.Properties{PropertySources: doc}})
	return len(list), err
}

func encodeSources(list []Source) (string, error) {
	doc, err := json.Marshal(sourceList{FormatVersion: PositionVersion, Sources: list})
	if err != nil {
		return "", fmt.Errorf("encode sources: %w", err)
	}
	return string(doc), nil
}

// sameName gives the number of the newest source of a cluster with a topic's name; -1 if there is none.
func sameName(list []Source, s Source) int {
	for i, have := range slices.Backward(list) {
		if have.Cluster == s.Cluster && have.Topic == s.Topic {
			return i
		}
	}
	return -1
}
