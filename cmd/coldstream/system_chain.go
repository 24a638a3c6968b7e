package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/processors"
	"github.com/coldstream/coldstream/processors/dedup"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/serve"
)

// coldProcessors are dedup and the chain.
func (s *system) coldProcessors(schemas.Source) []ingest.Processor {
	list := s.hotProcessors(partCold)
	if s.cfg.Dedup.Window == 0 {
		return list
	}
	d, err := processors.NewDedup(s.cfg.Dedup.Window)
	if err != nil {
		panic(err) // newSystem has made one like it
	}
	return append([]ingest.Processor{d.Measure(s.meters[partCold])}, list...)
}

// hotProcessors are the chain alone: an event that comes again does not change the state.
func (s *system) hotProcessors(part string) []ingest.Processor {
	c, err := s.program.Chain(s.meters[part])
	if err != nil {
		return []ingest.Processor{broken{err}}
	}
	return []ingest.Processor{c}
}

// broken stands for a chain that a processor of the user's did not want to begin.
type broken struct{ err error }

func (b broken) Process(*schemas.Batch) error { return b.err }

// checkDedup refuses a window that cannot be, or that would take more than half of the memory if this process held every
// one of the partitions.
func checkDedup(cfg *config.Config, partitions int) error {
	bad := func(format string, a ...any) error {
		return config.Problems{{Key: "dedup.window", Text: fmt.Sprintf(format, a...)}}
	}
	if cfg.Dedup.Window == 0 {
		return nil
	}
	if _, err := processors.NewDedup(cfg.Dedup.Window); err != nil {
		return bad("%v", err)
	}
	have, err := memory()
	if err != nil {
		return err
	}
	if need := dedup.MaxBytes(cfg.Dedup.Window) * int64(partitions); need > have/2 {
		return bad("%d offsets for the %d partitions that may be assigned take %d MB, more than half of the %d MB that this process may use: "+
			"give it more memory, or begin the table with a smaller window", cfg.Dedup.Window, partitions, need>>20, have>>20)
	}
	return nil
}

// memory is what this process may use, in bytes: the machine's, or less where its control group says so.
func memory() (int64, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("memory of this machine: %w", err)
	}
	have := int64(info.Totalram) * int64(info.Unit)
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil { // a container; "max" is no number
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			have = min(have, n)
		}
	}
	return have, nil
}

// checkTopics looks at the topics before the archive begins: whether dedup fits for as many partitions as the events have,
// and whether those that the policy routes to, and the sample of repeats, are there.
func (s *system) checkTopics(ctx context.Context, client *kgo.Client) error {
	names := append(s.program.Topics(), s.cfg.Kafka.Topics.Events)
	if s.cfg.Dedup.SampleTopic != "" {
		names = append(names, s.cfg.Dedup.SampleTopic)
	}
	have, err := kadm.NewClient(client).ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("kafka at %v: %w", s.cfg.Kafka.Brokers, err)
	}
	if err := checkDedup(s.cfg, max(s.cfg.Kafka.Partitions, len(have[s.cfg.Kafka.Topics.Events].Partitions))); err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		switch d := have[name]; {
		case errors.Is(d.Err, kerr.UnknownTopicOrPartition) && name != s.cfg.Kafka.Topics.Events:
			errs = append(errs, fmt.Errorf("the topic %s, to which events are routed, does not exist: `coldstream init` makes it", name))
		case d.Err != nil && !errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			errs = append(errs, fmt.Errorf("topic %s: %w", name, d.Err))
		}
	}
	return errors.Join(errs...)
}

// publisher writes routed events and samples of repeats.
func publisher(client *kgo.Client) ingest.PublishFunc {
	return func(ctx context.Context, records []*kgo.Record) error {
		for _, r := range client.ProduceSync(ctx, records...) {
			if r.Err != nil {
				return fmt.Errorf("topic %s: %w", r.Record.Topic, r.Err)
			}
		}
		return nil
	}
}

// chainStatus tells what the chains have done.
func (s *system) chainStatus(st *serve.Status) {
	st.Policy = s.program.Version()
	for _, part := range s.parts {
		m := s.meters[part]
		for _, c := range m.Stages() {
			stage := serve.Stage{
				Pipeline: part, Stage: c.Stage, In: c.In, Out: c.Out, Failed: c.Failed, Seconds: c.Time.Seconds(),
				Dropped: map[string]int64{c.Reason: c.Dropped, "refused": c.Refused},
			}
			st.Stages = append(st.Stages, stage)
		}
		for name, n := range m.Detections() {
			st.Found = append(st.Found, serve.Found{Pipeline: part, Type: name, Values: n})
		}
	}
	slices.SortFunc(st.Found, func(a, b serve.Found) int {
		return cmp.Or(cmp.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Type, b.Type))
	})
}
