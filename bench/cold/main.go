package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/coldstream/coldstream/bench"
)

// options are the command line.
type options struct {
	events     int64
	runs       int
	binary     string
	cpuprofile string
	lag        int64
	rebuild    bool
	patience   time.Duration
	kafka      string
	s3         bench.S3
	settings   bench.Settings
	against    bench.Alternatives
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench-cold", flag.ContinueOnError)
	f.Int64Var(&o.events, "events", 20_000_000, "distinct events in the backlog, about 320 bytes of JSON each; a topic that has them already is used again")
	f.IntVar(&o.runs, "runs", 1, "how often the backlog is drained, each time into a table of its own")
	f.StringVar(&o.binary, "binary", "bin/coldstream", "the program under measurement")
	f.StringVar(&o.cpuprofile, "cpuprofile", "", "file for a CPU profile of the worker (of the last run)")
	f.Int64Var(&o.lag, "lag", 0, "instead: keep the store from the worker while this many events pile up, and print its memory beside its lag")
	f.BoolVar(&o.rebuild, "rebuild", false, "start the worker again after each run, and print how long it takes to read again what dedup remembers")
	f.DurationVar(&o.patience, "patience", 20*time.Minute, "give up after this long")
	f.Var(&o.settings, "set", "a setting of the worker, as cold.max_bytes=134217728; may be repeated")
	f.Var(&o.against, "against", "settings to compare with, as 'redact.types=none dedup.window=0': each run is followed by one with them; may be repeated")
	f.StringVar(&o.kafka, "kafka", os.Getenv("COLDSTREAM_TEST_KAFKA"), "broker, host:port (COLDSTREAM_TEST_KAFKA)")
	s3 := f.String("s3", os.Getenv("COLDSTREAM_TEST_S3"), "store, host:port,access key,secret key (COLDSTREAM_TEST_S3)")
	f.Usage = func() {
		fmt.Fprint(f.Output(), "Measures the archive's worker from a backlog on Kafka to committed chunks.\n\n"+
			"  make bench-cold                                              20 million events on servers that it starts\n"+
			"  make bench-cold ARGS='-events 1000000 -cpuprofile cold.prof' fewer, and where the time goes\n"+
			"  make bench-cold ARGS='-lag 10000000'                         memory while the lag grows\n"+
			"  make bench-cold ARGS='-runs 2 -against redact.types=none'    what redaction costs, in turns\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	store, err := bench.ParseS3(*s3)
	if o.kafka == "" || err != nil {
		return o, errors.New("it needs a broker and a store: `make bench-cold` starts them, or give -kafka and -s3")
	}
	if o.events < 1 || o.runs < 1 || o.lag < 0 {
		return o, errors.New("-events and -runs want a number from 1, -lag from 0")
	}
	o.s3 = store
	return o, nil
}

func main() { bench.Main("bench-cold", parse, measure) }

func measure(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	if o.lag > 0 {
		return growLag(ctx, o)
	}
	return drainAll(ctx, o)
}
