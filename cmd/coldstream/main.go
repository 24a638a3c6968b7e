// Command coldstream keeps chat history as an event log: see `coldstream --help`.
//
// The package holds flags and wiring only: one file a command, and system_*.go for what `up` and `run` start.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/config"
)

func main() {
	clickhouse.ChildMain() // returns at once unless this process is the engine's child
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes, as the contract has them.
const (
	exitFound       = 1   // verify, doctor, config test found something
	exitUsage       = 2   // wrong flags, a refused configuration, SQL that does not parse, run before init
	exitFailed      = 3   // could not: unreachable, nothing running, a query that failed
	exitInterrupted = 130 // interrupted, and it can go on
)

// exitError carries the code that the process ends with. A nil err has been told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, a...)}
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitFailed, err}
}

func execute(args []string, out, errs io.Writer) int {
	ctx, stop := interruptible(context.Background(), errs)
	defer stop()
	g := &globals{}
	root := newRootCommand(g)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = g.unknown
	}
	return exitCode(ctx, err, errs)
}

func exitCode(ctx context.Context, err error, errs io.Writer) int {
	var exit *exitError
	var problems config.Problems
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(errs, "coldstream:", exit.err)
		}
		return exit.code
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(errs, "coldstream: interrupted")
		return exitInterrupted
	case errors.As(err, &problems), errors.Is(err, config.ErrMissing), errors.Is(err, errUsage):
		fmt.Fprintln(errs, "coldstream:", err)
		return exitUsage
	default:
		fmt.Fprintln(errs, "coldstream:", err)
		return exitFailed
	}
}

// interruptible ends the context at the first Ctrl-C or SIGTERM, and the process at the second.
func interruptible(parent context.Context, errs io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		cancel()
		<-signals
		fmt.Fprintln(errs, "coldstream: left at the second signal; what was not durable will be read again")
		os.Exit(exitInterrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}
