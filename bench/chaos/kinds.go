package main

import (
	"slices"
	"time"

	"github.com/coldstream/coldstream/internal/faults"
)

const sec = time.Second

// kinds are all kinds of faults.
func kinds() []*kind {
	out := []*kind{
		{name: "worker-kill", often: 2, inject: killRandom(workerSlots)},
		{name: "committer-kill", often: 2, inject: killRandom(committerSlots)},
		{name: "worker-kill-at", often: 6, steps: words(faults.WorkerSteps), inject: killAt(workerSlots)},
		{name: "committer-kill-at", often: 5, steps: words(faults.CommitterSteps), inject: killAt(committerSlots)},
		{name: "worker-zombie", min: 7 * sec, max: 12 * sec, inject: freezeRandom(workerSlots)},
		{name: "committer-zombie", min: 7 * sec, max: 12 * sec, inject: freezeRandom(committerSlots)},
		{name: "worker-zombie-at", often: 4, steps: words(faults.WorkerSteps), min: 7 * sec, max: 12 * sec, inject: freezeAt(workerSlots)},
		{name: "committer-zombie-at", often: 4, steps: words(faults.CommitterSteps), min: 7 * sec, max: 12 * sec, inject: freezeAt(committerSlots)},
		{name: "worker-frozen-in-transaction", alone: true, steps: words(betweenRequests), inject: freezeInTransaction},
		{name: "two-committers", often: 2, min: 8 * sec, max: 15 * sec, inject: twoCommitters},
		{name: "rebalance-storm", often: 2, min: 5 * sec, max: 8 * sec, inject: rebalanceStorm},
		{name: "clock-step", often: 2, alone: true, steps: []string{"+10m", "-10m", "+26h", "-26h"}, min: 11 * sec, max: 15 * sec, inject: clockStep},
		{name: "kafka-restart", steps: []string{"TERM", "KILL"}, min: 1 * sec, max: 4 * sec, inject: restartKafka},
		{name: "kafka-restart-at", often: 2, steps: restartsAt(), min: 1 * sec, max: 4 * sec, inject: restartKafkaAt},
		{name: "s3-restart", steps: []string{"TERM", "KILL"}, min: 1 * sec, max: 4 * sec, inject: restartMinIO},
		{name: "compact", often: 2, steps: []string{"once", "two", "kill"}, min: 200 * time.Millisecond, max: 1500 * time.Millisecond, inject: compactBeside},
		{name: "sweep", often: 2, inject: upkeep},
		{name: "upkeep-kill-at", often: 2, steps: words(upkeepSteps), inject: killUpkeep},
		{name: "committer-away", min: sweepMargin + 5*sec, max: sweepMargin + 15*sec, inject: committerAway},
		{name: "producer-abort", inject: producerAbort},
		{name: "producer-hang", min: 8 * sec, max: 10 * sec, inject: producerHang},
	}
	for _, how := range []string{"cut", "delay", "throttle", "reset", "blackhole"} {
		out = append(out,
			&kind{name: "kafka-" + how, often: 2, steps: []string{"worker", "committer"}, min: 2 * sec, max: 9 * sec, inject: spoilKafka(how)},
			&kind{name: "s3-" + how, steps: []string{"worker", "committer"}, min: 2 * sec, max: 9 * sec, inject: spoilS3(how)})
	}
	for _, mode := range []string{"500", "503", "403", "timeout", "lost", "late"} {
		out = append(out, &kind{name: "s3-" + mode, often: 3, steps: requestsFor(mode), min: 3 * sec, max: 8 * sec, inject: answerS3(mode)})
	}
	return append(out, scenarios()...)
}

// requestsFor are the classes of requests that a mode can spoil.
func requestsFor(mode string) []string {
	writes := []string{"put-data", "put-version", "put-hint", "put-manifest"}
	if mode == "lost" || mode == "late" {
		return writes
	}
	return append(writes, "get-version", "head-data", "get-manifest")
}

// upkeepSteps are those of the upkeep, and those of a commit at which a compaction may be killed as well.
var upkeepSteps = append(slices.Clone(faults.UpkeepSteps), faults.CommitterStaged, faults.CommitterPut)

// betweenRequests are the steps at which a transaction is open, and the last before it is.
var betweenRequests = []faults.Step{
	faults.WorkerTxnBegun, faults.WorkerProduced, faults.WorkerTxnAdded, faults.WorkerTxnOffsets, faults.WorkerTxnEnded,
}

// restartsAt are the steps of a transaction at which the broker goes, by either signal.
func restartsAt() []string {
	var out []string
	for _, step := range betweenRequests {
		out = append(out, "TERM "+string(step), "KILL "+string(step))
	}
	return out
}

func words(steps []faults.Step) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = string(s)
	}
	return out
}
