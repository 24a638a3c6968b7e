// Command fetchlibchdb puts libchdb, the ClickHouse engine as a library, into the user's cache folder, where every
// checkout finds it, and prints its path. It does nothing when the library is there, or COLDSTREAM_LIBCHDB names one.
// The Makefile runs it before what needs the library; `coldstream up` does the same by itself.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/progress"
)

func main() {
	path, err := fetch()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetchlibchdb:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

func fetch() (string, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return clickhouse.FetchLibrary(ctx, progress.Steps(os.Stderr, progress.Options{Title: "fetch libchdb", Bytes: true}))
}
