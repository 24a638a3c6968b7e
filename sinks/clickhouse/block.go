package clickhouse

import (
	"fmt"
	"strings"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// origin says which record a row of a block comes from.
type origin struct {
	source int32 // index in block.topics
	part   int32
	offset int64
}

// origins says it of each row of a block's parts.
type origins struct{ state, names, waiting, places, removals []origin }

// block is what is sent and committed together: rows of the state table, and the few of the tables around it:
// names, places of channels, deletes of whole channels and guilds, and edits that wait for a resolver.
// The pipeline's goroutine fills it until it is sealed; then one inserter reads it; then the pipeline's commits it.
type block struct {
	state   *stateColumns
	names   *nameColumns
	waiting []waiting

	places   []placeRow
	removals []removal

	origins origins
	topics  []string

	waitingBytes int

	ranges []schemas.Range // one a source, in the order of their arrival
	policy uint32
	opened time.Time
	behind bool   // what came last was old when it came: more of the kind waits
	token  string // set by seal, so that a retry carries the same

	done bool // guarded by Sink.mu from seal on
}

func newBlock(noSearch bool) *block {
	k := &block{state: newStateColumns(), names: newNameColumns()}
	k.state.noSearch = noSearch
	return k
}

func (k *block) reset() {
	k.state.reset()
	k.names.reset()
	clear(k.waiting)
	*k = block{
		state: k.state, names: k.names,
		origins: origins{k.origins.state[:0], k.origins.names[:0], k.origins.waiting[:0], k.origins.places[:0], k.origins.removals[:0]},
		topics:  k.topics[:0], waiting: k.waiting[:0], places: k.places[:0], removals: k.removals[:0], ranges: k.ranges[:0],
	}
}

// fits reports whether a batch of this policy may join the block: a token names one policy.
func (k *block) fits(policy uint32) bool { return len(k.ranges) == 0 || k.policy == policy }

// oldRecord is how old a record is, when it comes, that has lain in Kafka.
const oldRecord = 5 * time.Second

// cover notes that the block holds everything of r, which is b.
func (k *block) cover(r schemas.Range, b *schemas.Batch, now time.Time) {
	if len(k.ranges) == 0 {
		k.opened, k.policy = now, b.Policy
	}
	if n := b.Len(); n > 0 {
		k.behind = b.KafkaTime[n-1] > 0 && now.Sub(time.UnixMicro(b.KafkaTime[n-1])) > oldRecord
	}
	k.ranges = merge(k.ranges, r)
}

// due reports whether a block has waited long enough. A few large parts cost ClickHouse half of what many small ones do: each
// insert has a price of its own, and a row is merged the more often the smaller the part was that it came in. So a block
// that fills fast waits twice as long, and eight times while a backlog is read: a row that has lain for seconds can lie
// for two more. That takes many rows beside old ones, because a producer's clock may be slow.
func (k *block) due(now time.Time, c *Config) bool {
	wait := c.MaxAge
	if k.rows() >= c.MaxRows/16 {
		wait *= 2
		if k.behind {
			wait *= 4
		}
	}
	return now.Sub(k.opened) >= wait
}

// merge joins r to the range of its source, which ends where r begins.
func merge(ranges []schemas.Range, r schemas.Range) []schemas.Range {
	for i := range ranges {
		if have := &ranges[i]; have.Source == r.Source {
			have.Next, have.CompleteMs = r.Next, r.CompleteMs
			have.Events += r.Events
			have.Repeats += r.Repeats
			have.Dead += r.Dead
			return ranges
		}
	}
	return append(ranges, r)
}

// without drops the ranges of these sources: their rows may be inserted all the same, but are not ours to commit.
func without(ranges []schemas.Range, gone []schemas.Source) []schemas.Range {
	kept := ranges[:0]
	for _, r := range ranges {
		if !has(gone, r.Source) {
			kept = append(kept, r)
		}
	}
	return kept
}

func has(sources []schemas.Source, s schemas.Source) bool {
	for _, o := range sources {
		if o == s {
			return true
		}
	}
	return false
}

func (k *block) rows() int {
	return k.state.rows() + k.names.rows() + len(k.waiting) + len(k.places) + len(k.removals)
}

// bytes is about the memory that the rows take.
func (k *block) bytes() int { return k.state.bytes() + textBytes(k.names.list) + k.waitingBytes }

// seal fixes the block's name: topic:incarnation:partition:first-last of each range. ClickHouse drops a second insert of
// the same token, so a token must never carry other rows: the policy is part of it, and so is which cluster's topic it
// was, since a topic that is made again has the same offsets.
func (k *block) seal() {
	var token strings.Builder
	for _, r := range k.ranges {
		fmt.Fprintf(&token, "%s:%x:%d:%d-%d,", r.Topic, schemas.HashRef(r.Cluster+"/"+r.TopicID), r.Partition, r.From, r.Next-1)
	}
	fmt.Fprintf(&token, "p%d", k.policy)
	k.token = token.String()
}

func (k *block) wait(w waiting) {
	k.waiting = append(k.waiting, w)
	k.waitingBytes += 2 * (len(w.Event) + len(w.Completed))
}

// from notes the record of all rows that were added since the last call.
func (k *block) from(o origin) {
	for len(k.origins.state) < k.state.rows() {
		k.origins.state = append(k.origins.state, o)
	}
	for len(k.origins.names) < k.names.rows() {
		k.origins.names = append(k.origins.names, o)
	}
	for len(k.origins.waiting) < len(k.waiting) {
		k.origins.waiting = append(k.origins.waiting, o)
	}
	for len(k.origins.places) < len(k.places) {
		k.origins.places = append(k.origins.places, o)
	}
	for len(k.origins.removals) < len(k.removals) {
		k.origins.removals = append(k.origins.removals, o)
	}
}

// topic is the index of a topic's name in the block.
func (k *block) topic(name string) int32 {
	for i, t := range k.topics {
		if t == name {
			return int32(i)
		}
	}
	k.topics = append(k.topics, name)
	return int32(len(k.topics) - 1)
}
