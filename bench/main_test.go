package bench_test

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/testkit"
)

const (
	envEvents    = "COLDSTREAM_BENCH_EVENTS"
	envTestKafka = "COLDSTREAM_TEST_KAFKA" // a broker that is there already, as the test kit takes it
	partitions   = 4
)

// events is how many distinct events a run reads.
var events int64 = 500_000

func TestMain(m *testing.M) {
	objectstore.ChildMain()
	clickhouse.ChildMain()
	if s := os.Getenv(envEvents); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "%s=%q: want a number of events\n", envEvents, s)
			os.Exit(2)
		}
		events = n
	}
	childMain()
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
		describe()
	}
	code := testkit.Run(m)
	if err := stopBroker(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: stop broker:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// describe prints what the figures depend on, as benchstat's configuration lines.
func describe() {
	kafka := "embedded, in a process of its own"
	if os.Getenv(envTestKafka) != "" {
		kafka = "real"
	}
	s3 := "embedded, in a process of its own"
	if testkit.RealS3() {
		s3 = "real"
	}
	fmt.Printf("go: %s\ncores: %d\nevents: %d\npartitions: %d\nbroker: %s\nobject-store: %s\nclickhouse: libchdb %s, in a process of its own\n",
		runtime.Version(), runtime.NumCPU(), events, partitions, kafka, s3, clickhouse.Version)
}
