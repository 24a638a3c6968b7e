package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/embedded/clickhouse"
)

// options are the command line.
type options struct {
	events     int64
	runs       int
	search     string
	binary     string
	cpuprofile string
	patience   time.Duration
	kafka      string
	rival      bool
	rivalBlock int
	explain    bool
	keep       bool
	settle     bool
	rates      rates
	during     time.Duration
	poll       time.Duration
	parts      string
	s3         bench.S3
	settings   bench.Settings
	server     bench.Settings
}

const usage = `Measures the hot worker from a backlog on Kafka to rows in ClickHouse, with and without the index of words.

  make bench-hot                                                        20 million events on servers that it starts
  make bench-hot ARGS='-events 2000000 -search on -cpuprofile hot.prof' fewer, with the index, and where the time goes
  make bench-hot ARGS='-set redact.types=none'                          without redaction
  make bench-hot ARGS='-live 1000,50000 -search on'                     from publish to the view messages, at two rates
  make bench-hot ARGS='-live 92000 -parts all -during 3m'               both sinks and all servers: does the lag grow?

`

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench-hot", flag.ContinueOnError)
	f.Int64Var(&o.events, "events", 20_000_000, "distinct events in the backlog, about 320 bytes of JSON each; a topic that has them already is used again")
	f.IntVar(&o.runs, "runs", 1, "how often the backlog is drained, each time into an engine of its own")
	f.StringVar(&o.search, "search", "both", "the index of words: on, off, or both one after the other")
	f.StringVar(&o.binary, "binary", "bin/coldstream", "the program under measurement")
	f.StringVar(&o.cpuprofile, "cpuprofile", "", "file for a CPU profile of the worker (of the last run)")
	f.DurationVar(&o.patience, "patience", 30*time.Minute, "give up after this long")
	f.BoolVar(&o.rival, "rival", true, "drain the same topic by ClickHouse's own Kafka engine as well, into the same table, and compare")
	f.IntVar(&o.rivalBlock, "rival-block", 524_288, "rows of that engine's blocks")
	f.BoolVar(&o.explain, "explain", false, "print where ClickHouse's time went")
	f.BoolVar(&o.settle, "settle", true, "wait until ClickHouse has no merge to do any more, and count its time too")
	f.BoolVar(&o.keep, "keep", false, "leave ClickHouse's data folders, and print where they are")
	f.Var(&o.rates, "live", "instead: publish so many events a second (or at each of several rates, with commas) while the worker follows")
	f.DurationVar(&o.during, "during", time.Minute, "how long each rate of -live is watched, after 20 s")
	f.DurationVar(&o.poll, "poll", 50*time.Millisecond, "how often -live asks the view for its messages: a query costs ClickHouse CPU time, and delays are exact to this")
	f.StringVar(&o.parts, "parts", "hot", "what follows -live: hot, or all: hot, cold, committer and resolver")
	s3 := f.String("s3", os.Getenv("COLDSTREAM_TEST_S3"), "store for -parts all, host:port,access key,secret key (COLDSTREAM_TEST_S3)")
	f.Var(&o.settings, "set", "a setting of the worker, as hot.batch_rows=400000; may be repeated")
	f.Var(&o.server, "table", "a setting of the table state, as max_bytes_to_merge_at_max_space_in_pool=1073741824; may be repeated")
	f.StringVar(&o.kafka, "kafka", os.Getenv("COLDSTREAM_TEST_KAFKA"), "broker, host:port (COLDSTREAM_TEST_KAFKA)")
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.kafka == "":
		return o, errors.New("it needs a broker: `make bench-hot` starts one, or give -kafka")
	case o.events < 1 || o.runs < 1:
		return o, errors.New("-events and -runs want a number from 1")
	case o.during <= 0 || o.poll <= 0:
		return o, errors.New("-during and -poll want a time above nothing")
	case o.parts != "hot" && o.parts != "all":
		return o, fmt.Errorf("-parts %s: want hot or all", o.parts)
	case o.search != "on" && o.search != "off" && o.search != "both":
		return o, fmt.Errorf("-search %s: want on, off or both", o.search)
	}
	if o.parts == "all" {
		if o.s3, err = bench.ParseS3(*s3); err != nil {
			return o, err
		}
	}
	return o, nil
}

// rates are events a second, with commas between them.
type rates []float64

// String implements flag.Value.
func (r *rates) String() string { return strings.Trim(fmt.Sprint([]float64(*r)), "[]") }

// Set implements flag.Value.
func (r *rates) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(one, 64)
		if err != nil || v <= 0 {
			return fmt.Errorf("%q: want events a second", one)
		}
		*r = append(*r, v)
	}
	return nil
}

func main() {
	clickhouse.ChildMain()
	rivalMain()
	bench.Main("bench-hot", parse, measure)
}

func measure(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	if len(o.rates) > 0 {
		return liveAll(ctx, o)
	}
	return drainAll(ctx, o)
}
