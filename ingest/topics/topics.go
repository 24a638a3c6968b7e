// Package topics makes the topics of a deployment with the settings that the pipeline relies on.
//
// [Ensure] is the one to know: it creates what is missing, mends settings that differ, and never deletes or shrinks
// anything. It fails when the broker refuses, naming the topic; it does not add partitions to a topic that exists,
// because that breaks the order of a channel across the change.
package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Config names the topics and what they are created with.
type Config struct {
	Events, Chunks, Erasures, DLQ string
	Partitions                    int           // of the events topic; default 4
	Replicas                      int           // default 1
	Retention                     time.Duration // of the events topic; default 7 days
	Others                        []string      // topics that events are routed to; their settings are the operator's
}

// batchBytes is the largest batch that the events topic takes: larger than an event may be, so that the pipeline can
// say why an event is too large instead of the broker refusing it.
const batchBytes = 8 << 20

// spec is one topic as it should be.
type spec struct {
	name       string
	partitions int
	settings   map[string]string // kept as they are here
	initial    map[string]string // set at creation, then the operator's to change
	wishes     map[string]string // as initial, where the broker has them
}

func (c Config) specs() []spec {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	bytes := strconv.Itoa
	all := []spec{
		{
			c.Events, max(c.Partitions, 1),
			map[string]string{"cleanup.policy": "delete", "max.message.bytes": bytes(batchBytes)},
			map[string]string{"retention.ms": ms(c.Retention)},
			map[string]string{"message.timestamp.type": "LogAppendTime"},
		},
		{c.Chunks, 1, map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}, nil, nil},
		{c.Erasures, 1, map[string]string{"cleanup.policy": "compact"}, nil, nil},
		{
			c.DLQ, 1,
			map[string]string{"cleanup.policy": "delete", "max.message.bytes": bytes(batchBytes + 64<<10)},
			map[string]string{"retention.ms": ms(90 * 24 * time.Hour)},
			nil,
		},
	}
	for _, name := range c.Others {
		if !slices.ContainsFunc(all, func(s spec) bool { return s.name == name }) {
			all = append(all, spec{name, max(c.Partitions, 1), nil, map[string]string{"max.message.bytes": bytes(batchBytes)}, nil})
		}
	}
	return all
}

// Change is one thing that Ensure did, or would do.
type Change struct {
	Topic string `json:"topic"`
	What  string `json:"what"`
}

// Ensure makes the topics as they should be, or with dryRun says what it would do. It returns the changes in order, once
// the topics can be used.
func Ensure(ctx context.Context, adm *kadm.Client, c Config, dryRun bool) ([]Change, error) {
	specs := c.specs()
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.name
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var changes []Change
	for _, s := range specs {
		done, err := s.ensure(ctx, adm, have[s.name], c.Replicas, dryRun)
		changes = append(changes, done...)
		if err != nil {
			return changes, fmt.Errorf("topic %s: %w", s.name, err)
		}
	}
	if dryRun {
		return changes, nil
	}
	return changes, Await(ctx, adm, names...)
}

func (s spec) ensure(ctx context.Context, adm *kadm.Client, have kadm.TopicDetail, replicas int, dryRun bool) ([]Change, error) {
	if have.Err != nil || len(have.Partitions) == 0 {
		created := []Change{{s.name, fmt.Sprintf("created with %d partition(s)", s.partitions)}}
		if dryRun {
			return created, nil
		}
		return created, s.create(ctx, adm, max(replicas, 1))
	}
	return s.mend(ctx, adm, dryRun)
}

func (s spec) create(ctx context.Context, adm *kadm.Client, replicas int) error {
	settings := map[string]*string{}
	for _, m := range []map[string]string{s.settings, s.initial, s.wishes} {
		for k, v := range m {
			settings[k] = kadm.StringPtr(v)
		}
	}
	_, err := adm.CreateTopic(ctx, int32(s.partitions), int16(replicas), settings, s.name)
	if errors.Is(err, kerr.InvalidConfig) && len(s.wishes) > 0 {
		for k := range s.wishes {
			delete(settings, k)
		}
		_, err = adm.CreateTopic(ctx, int32(s.partitions), int16(replicas), settings, s.name)
	}
	if errors.Is(err, kerr.TopicAlreadyExists) { // another init was as fast
		return nil
	}
	return err
}

// mend sets what differs of the settings that the pipeline relies on.
func (s spec) mend(ctx context.Context, adm *kadm.Client, dryRun bool) ([]Change, error) {
	rs, err := adm.DescribeTopicConfigs(ctx, s.name)
	if err != nil {
		return nil, err
	}
	now := map[string]string{}
	for _, r := range rs {
		if r.Err != nil {
			return nil, r.Err
		}
		for _, c := range r.Configs {
			now[c.Key] = c.MaybeValue()
		}
	}
	var changes []Change
	for k, want := range s.settings {
		if now[k] == want {
			continue
		}
		changes = append(changes, Change{s.name, fmt.Sprintf("%s set from %q to %q", k, now[k], want)})
		if dryRun {
			continue
		}
		as, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: k, Value: kadm.StringPtr(want)}}, s.name)
		if err != nil {
			return changes, err
		}
		for _, a := range as {
			if a.Err != nil {
				return changes, fmt.Errorf("set %s: %w", k, a.Err)
			}
		}
	}
	return changes, nil
}
