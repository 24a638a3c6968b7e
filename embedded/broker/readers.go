package broker

import (
	"context"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
)

// floor is where the last of a partition's groups stands: nothing from here on may be dropped.
type floor struct {
	at    int64
	group string
}

// readers are the floors by topic and partition. A topic that no group reads is not in it.
type readers map[string]map[int32]floor

// floor returns a partition's floor; ok is false when no group reads its topic.
func (r readers) floor(topic string, partition int32) (f floor, ok bool) {
	f, ok = r[topic][partition]
	return f, ok
}

// add takes in that group reads topic, from the offsets that it committed and from the start where it committed none.
func (r readers) add(group string, topic keptTopic, commits map[int32]kfake.GroupCommit) {
	if r[topic.name] == nil {
		r[topic.name] = map[int32]floor{}
	}
	for _, partition := range topic.partitions {
		at := commits[partition].Offset
		if have, ok := r[topic.name][partition]; !ok || at < have.at {
			r[topic.name][partition] = floor{at: at, group: group}
		}
	}
}

// drop adds to deletes that a partition's records below to may go, as far as every group has read them.
func (r readers) drop(deletes kadm.Offsets, topic string, partition int32, to int64) {
	if f, ok := r.floor(topic, partition); ok {
		to = min(to, f.at)
	}
	raise(deletes, topic, partition, to)
}

// readers asks for the groups' offsets. A group reads a topic when it has committed an offset there, or when a member has
// subscribed to it since the start: so that nothing is lost before the first commit, or while its members rejoin. A
// deleted group reads nothing.
func (u *upkeep) readers(ctx context.Context, topics []keptTopic) (readers, error) {
	if named := u.broker.cfg.Readers; named != nil {
		return u.namedReaders(named, topics), nil
	}
	listed, err := u.admin.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	maps.DeleteFunc(u.subscribed, func(group string, _ map[string]bool) bool {
		_, exists := listed[group]
		return !exists
	})
	found := readers{}
	for _, name := range listed.Groups() {
		group := u.broker.cluster.GroupInfo(name)
		if group == nil || listed[name].ProtocolType == "share" { // share groups have no offsets to go by
			continue
		}
		u.noteSubscribed(group)
		for _, topic := range topics {
			commits := group.Commits[topic.name]
			if len(commits) > 0 || u.subscribed[name][topic.name] {
				found.add(name, topic, commits)
			}
		}
	}
	return found, nil
}

// namedReaders are the groups that the configuration names, from the start of a topic where they have committed nothing.
func (u *upkeep) namedReaders(named map[string][]string, topics []keptTopic) readers {
	found := readers{}
	for _, topic := range topics {
		for _, name := range named[topic.name] {
			var commits map[int32]kfake.GroupCommit
			if group := u.broker.cluster.GroupInfo(name); group != nil {
				commits = group.Commits[topic.name]
			}
			found.add(name, topic, commits)
		}
	}
	return found
}

// noteSubscribed remembers which topics a group's members read.
func (u *upkeep) noteSubscribed(group *kfake.GroupInfo) {
	topics := u.subscribed[group.Group]
	if topics == nil {
		topics = map[string]bool{}
		u.subscribed[group.Group] = topics
	}
	for _, member := range group.Members {
		for _, topic := range member.SubscribedTopics {
			topics[topic] = true
		}
		for topic := range member.Assignment {
			topics[topic] = true
		}
	}
}
