package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// standstill writes down what can be known of a world that does not go on, into a file of its own: offsets, groups,
// producers and transactions as the broker sees them, and the stacks of every process, which ends by it.
func (w *world) standstill() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	path := filepath.Join(w.dir, "standstill.txt")
	file, err := os.Create(path)
	if err != nil {
		say("   what stands still could not be written down: %v", err)
		return
	}
	defer file.Close()
	tell := func(what string, v any, err error) { fmt.Fprintf(file, "## %s (error: %v)\n%+v\n\n", what, err, v) }
	topics := []string{w.topic("events"), w.topic("chunks")}
	stable, err := w.admin.ListCommittedOffsets(ctx, topics...)
	tell("last stable offsets", stable, err)
	ends, err := w.admin.ListEndOffsets(ctx, topics...)
	tell("ends", ends, err)
	groups, err := w.admin.DescribeGroups(ctx, w.group("cold"), w.group("committer"))
	tell("groups", groups, err)
	offsets, err := w.admin.FetchOffsets(ctx, w.group("cold"))
	tell("offsets of the workers' group", offsets, err)
	var set kadm.TopicsSet
	for _, topic := range topics {
		for p := range stable[topic] {
			set.Add(topic, p)
		}
	}
	producers, err := w.admin.DescribeProducers(ctx, set)
	tell("producers", producers, err)
	transactions, err := w.admin.DescribeTransactions(ctx)
	tell("transactions", transactions, err)
	for _, p := range w.procs {
		p.signal(syscall.SIGQUIT) // Go writes the stacks of all goroutines and ends
	}
	time.Sleep(time.Second)
	say("   what the broker knew then: %s; the stacks of the processes: in their logs", path)
}
