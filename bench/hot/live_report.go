package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// report says what was held, how long messages took, and who used the cores.
func (l *live) report(ctx context.Context, all []sample, rate float64) error {
	first, last := all[0], all[len(all)-1]
	took := last.at.Sub(first.at)
	published := float64(last.published-first.published) / took.Seconds()
	fmt.Printf("  published %.0f events/s for %.0f s: %s\n", published, took.Seconds(), l.verdict(all, published, rate))
	delays, err := l.prober.report()
	if err != nil {
		return err
	}
	fmt.Printf("  from publish to the view messages: %s (asked every %v)\n", delays, l.o.poll)
	cores := float64(runtime.NumCPU())
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	worker, engine, producer := last.worker-first.worker, last.clickhouse-first.clickhouse, last.producer-first.producer
	busy := last.machine - first.machine
	fmt.Printf("  CPU, %% of a core: worker %.0f, ClickHouse %.0f, producer %.0f, broker, store and all else %.0f, idle %.0f of %.0f; without the producer %.0f events a CPU second\n",
		share(worker), share(engine), share(producer), share(busy-worker-engine-producer), 100*cores-share(busy), 100*cores,
		published*took.Seconds()/(busy-producer).Seconds())
	merged, err := l.engine.merged(ctx)
	if err != nil {
		return err
	}
	w, err := l.worker.Usage()
	if err != nil {
		return err
	}
	e, err := l.engine.usage()
	if err != nil {
		return err
	}
	most, sum := uint64(0), uint64(0)
	for _, s := range all {
		most, sum = max(most, s.parts.Count), sum+s.parts.Count
	}
	fmt.Printf("  peak memory: worker %d MB, ClickHouse %d MB; %d parts of state on average, %d at most, %d rows, each merged %.2f times since the start\n",
		w.Peak>>20, e.Peak>>20, sum/uint64(len(all)), most, last.parts.Rows, float64(merged)/float64(max(last.hot, 1)))
	return nil
}

// verdict compares the lag of the last third with that of the first: what grows by less than a hundredth of what is
// published does not grow.
func (l *live) verdict(all []sample, published, rate float64) string {
	if published < 0.98*rate {
		return fmt.Sprintf("NOT the %.0f that were asked for", rate)
	}
	third := max(len(all)/3, 1)
	for name, lag := range map[string]func(s sample) int64{
		"hot": func(s sample) int64 { return s.published - s.hot }, "cold": func(s sample) int64 { return s.published - s.cold },
	} {
		if name == "cold" && !l.cold {
			continue
		}
		mean := func(some []sample) (sum float64) {
			for _, s := range some {
				sum += float64(lag(s)) / float64(len(some))
			}
			return sum
		}
		apart := all[len(all)-1].at.Sub(all[0].at).Seconds() * 2 / 3
		if grows := (mean(all[len(all)-third:]) - mean(all[:third])) / apart; grows > 0.01*published {
			return fmt.Sprintf("NOT held, the lag of %s grows by %.0f a second", name, grows)
		}
	}
	return "held, no lag grows"
}
